"""What a table is, which decides who may touch it in the database."""

from enum import StrEnum


class Kind(StrEnum):
    """CONTENT: what happens inside a group, under row-level security; no admin, no worker.

    FRAME: groups, who belongs to them, and dates; the office works with it.
    PLUMBING: accounts, keys and letters, which no page shows as they are.
    """

    CONTENT = "content"
    FRAME = "frame"
    PLUMBING = "plumbing"
