"""Merkle transparency log (RFC 6962, C2SP tiles and signed notes) and the audit trail."""
