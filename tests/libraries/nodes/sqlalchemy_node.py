"""Declarative models over sqlite in memory, in the node's thread; annotations that are texts."""
from __future__ import annotations

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

LIBRARY = "sqlalchemy"
INPUT = [["a", 1], ["b", 2], ["a", 3]]
OUTPUT = [1, 2, 3, [["a", 4], ["b", 2]]]
WASM = "No module named 'sqlite3'"


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    value: Mapped[int]


class Node:
    def initialize(self):
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        Base.metadata.create_all(self.engine)

    def process(self, item):
        with Session(self.engine) as session:
            session.add(Row(name=item[0], value=item[1]))
            session.commit()
            return session.scalar(select(func.count()).select_from(Row))

    def flush(self):
        with Session(self.engine) as session:
            rows = session.execute(select(Row.name, func.sum(Row.value)).group_by(Row.name).order_by(Row.name))
            return [list(row) for row in rows]

    def cleanup(self):
        self.engine.dispose()
