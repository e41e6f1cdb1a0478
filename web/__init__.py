"""The viewer: each person's entries, money and proofs, as pages and as JSON.

    home (read-only) → ledger.query → web.present → templates

Works without JavaScript and asks nothing of other sites. The checkpoint, tiles and
bundles of the log are served beside the pages, so that a standard client of
transparency logs can follow the same address.

    create_app(Path("linernote-home")).run()
"""

from __future__ import annotations

from web.app import create_app

__all__ = ["create_app"]
