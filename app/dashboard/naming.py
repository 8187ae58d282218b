"""What the fields in a list of records are called."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.api.desk import Desk
from app.mapping.labels import NO_LABELS, Labels, labels_in


@dataclass(frozen=True)
class Names:
    """`labels`: by bridge."""

    labels: Mapping[int, Labels]

    def of(self, bridge_id: int, object_: str, field: str) -> str:
        return self.labels.get(bridge_id, NO_LABELS).pair(object_, field)


async def field_names(desk: Desk, shown: Iterable[tuple[int, str]]) -> Names:
    """Of the fields of these objects, each with its bridge. One whose bridge is gone goes by its key."""
    objects: defaultdict[int, set[str]] = defaultdict(set)
    for bridge_id, object_ in shown:
        objects[bridge_id].add(object_)
    connections = desk.connections
    found = [(each, await connections.directory.bridge(each)) for each in objects]
    return Names({each: labels_in(connections, bridge, objects[each]) for each, bridge in found if bridge})
