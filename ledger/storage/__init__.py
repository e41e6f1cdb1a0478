"""Where bytes rest: the storage port and what stands behind it.

Modules: `base` (the port), `sqlite` (the log's database), `memory` (the same in
plain dictionaries), `spill` (rows of an audit too large for memory), `lock` (one
writer), `poison` (a disk that cannot be trusted). The layer carries bytes and
indexes only. Nothing is imported here: sqlite-utils takes 0.2 s.
"""

from __future__ import annotations
