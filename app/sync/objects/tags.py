"""Where the tags of a contact go in billing, and which of them. Pure."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.values import tags_of


class Into(StrEnum):
    OFF = "off"
    CUSTOM_VALUE1 = "custom_value1"
    CUSTOM_VALUE2 = "custom_value2"
    CUSTOM_VALUE3 = "custom_value3"
    CUSTOM_VALUE4 = "custom_value4"
    GROUP = "group"


class TagGroup(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tag: str = Field(min_length=1, max_length=200)
    group: str = Field(min_length=1, max_length=200, description="Name of a client group in billing")


class TagSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    into: Into = Field(
        Into.OFF,
        description="Billing field of the client that holds the contact's tags, as “a, b”; `group`: its client group,"
        " by the table `groups`, from the CRM to billing only",
    )
    direction: Direction = Field(Direction.BOTH, description="Which way tags are added and removed")
    only: list[str] = Field(
        default_factory=list,
        max_length=200,
        description="Tags that take part; others are neither copied nor removed. Empty: all of them",
    )
    groups: list[TagGroup] = Field(
        default_factory=list,
        max_length=200,
        description="For `group`: the first of these tags that a contact has decides its client group",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.into is Into.GROUP) != bool(self.groups):
            raise ValueError("`groups` goes with `into`: `group`, and has at least one entry there")
        if any("," in each for each in (*self.only, *(row.tag for row in self.groups))):
            raise ValueError("a tag with a comma in it cannot take part")
        return self

    def pairs(self) -> tuple[Pair, ...]:
        if self.into is Into.OFF:
            return ()
        if self.into is Into.GROUP:
            return (Pair("tag_group", "group", Direction.TO_BILLING),)
        return (Pair("tags", self.into.value, self.direction),)

    @property
    def options(self) -> frozenset[str] | None:
        """The tags that take part, as they are compared; None for all of them."""
        return frozenset(each.strip().casefold() for each in self.only) or None

    def group_of(self, tags: str) -> str:
        """The client group of a contact with these tags, "" for none."""
        there = tags_of(tags)
        return next((row.group for row in self.groups if row.tag.strip().casefold() in there), "")
