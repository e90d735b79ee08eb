"""The workspace of a project: its route, documents, data, findings, verification, members."""
