"""Tables as lines: catalogues, shares and datasets from files to manifests."""
