"""Where the accountants' screens hang."""

from django.urls import path

from onsil.console.books.views import closes, exceptions, files, overview, statements

urlpatterns = [
    path("console/books/", overview.board, name="books"),
    path("console/books/files/", files.listing, name="books-files"),
    path("console/books/files/<uuid:file>/", files.detail, name="books-file"),
    path("console/books/files/<uuid:file>/original/", files.original, name="books-file-original"),
    path("console/books/exceptions/", exceptions.listing, name="books-exceptions"),
    path("console/books/exceptions/<uuid:line>/", exceptions.detail, name="books-exception"),
    path("console/books/exceptions/<uuid:line>/act/", exceptions.act, name="books-act"),
    path("console/books/exceptions/<uuid:line>/comment/", exceptions.comment, name="books-comment"),
    path(
        "console/books/exceptions/<uuid:line>/hand-over/",
        exceptions.hand_over,
        name="books-hand-over",
    ),
    path(
        "console/books/exceptions/<uuid:line>/undo/<uuid:match>/",
        exceptions.undo,
        name="books-undo",
    ),
    path("console/books/requests/<uuid:proposal>/", exceptions.decide, name="books-decide"),
    path("console/books/closes/", closes.listing, name="books-closes"),
    path("console/books/closes/<str:day>/", closes.detail, name="books-close"),
    path("console/books/closes/<str:day>/close/", closes.close, name="books-close-do"),
    path("console/books/closes/<str:day>/decide/", closes.decide, name="books-close-decide"),
    path("console/books/statements/", statements.choose, name="books-statements"),
    path("console/books/statements/<slug:form>/", statements.file, name="books-statement-file"),
]
