"""Models with generics, RootModel, annotations that are texts, forward references, computed fields."""
from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, Field, RootModel, ValidationError, computed_field

LIBRARY = "pydantic"
INPUT = [{"items": [{"size": "3"}], "next": None}, {"items": [{"size": 0}]}, {"items": [], "next": {"items": []}}]
OUTPUT = [{"items": [{"size": 3, "area": 9}], "next": None}, ["items", 0, "size"], {"items": [], "next": {"items": [], "next": None}},
          {"a": 1}]
T = TypeVar("T")


class Box(BaseModel):
    size: int = Field(gt=0)

    @computed_field
    @property
    def area(self) -> int:
        return self.size ** 2


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: Page[T] | None = None


class Counts(RootModel[dict[str, int]]):
    pass


class Node:
    def process(self, item):
        try:
            return Page[Box].model_validate(item).model_dump()
        except ValidationError as error:
            return list(error.errors()[0]["loc"])

    def flush(self):
        return Counts.model_validate_json('{"a": 1}').model_dump()
