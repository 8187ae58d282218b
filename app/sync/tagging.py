"""Sets of words as the texts of two sides. Pure.

Tags are merged one by one: what a side added or removed since they last agreed is added or removed on the other one,
and nothing else there is touched. At a first meeting everything was added. So a set is never replaced
(monicahq/monica#2119, mautic/mautic#1602), and there is nothing to prefer.
"""

from collections.abc import Collection, Mapping, Sequence

from app.sync.fieldmap import Rule
from app.sync.records import FieldSpec
from app.sync.values import tag_text, tags_of


def taking_part(rule: Rule, text: str) -> str:
    choices = [spec.options for spec in (rule.crm, rule.billing) if spec.options is not None]
    return tag_text(word for key, word in tags_of(text).items() if all(key in options for options in choices))


def retagged(
    text: str, added: Mapping[str, str], removed: Collection[str], spec: FieldSpec
) -> tuple[str, Sequence[str]]:
    """`text` with and without these, and what of `added` is too long or would make it so: no tag is cut."""
    words = {key: word for key, word in tags_of(text).items() if key not in removed}
    left_out: list[str] = []
    for key, word in sorted(added.items()):
        grown = tag_text([*words.values(), word])
        if key in words:
            continue
        if _longer(grown, spec.max_length) or _longer(word, spec.longest_tag):
            left_out.append(word)
        else:
            words[key] = word
    return tag_text(words.values()), left_out


def _longer(text: str, most: int | None) -> bool:
    return most is not None and len(text) > most


def delivered(text: str, held: str, there: str) -> str:
    """The tags of the source without those that were held back: they are new until they arrive."""
    missing = tags_of(held).keys() - tags_of(there).keys()
    return tag_text(word for key, word in tags_of(text).items() if key not in missing)
