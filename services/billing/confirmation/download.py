"""The confirmation as a file that is answered to whoever asks for it."""

from collections.abc import Mapping

from fastapi import Response

from services.billing.confirmation.document import Confirmation, Document
from shared.base.errors import Conflict, Reject


def as_pdf(
    confirmation: Confirmation, disposition: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The confirmation, to be shown (`inline`) or kept (`attachment`).

    Raises:
        Conflict: it cannot be made.
    """
    try:
        document = Document.of(confirmation)
    except Reject as refusal:
        raise Conflict("document_not_made", str(refusal)) from None
    disposition = f'{disposition}; filename="{document.filename}"'
    return Response(
        document.content,
        media_type="application/pdf",
        headers={**(headers or {}), "Content-Disposition": disposition},
    )
