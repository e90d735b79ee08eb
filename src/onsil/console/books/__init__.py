"""The accountants' area: bank files, exceptions, statements, the daily close."""
