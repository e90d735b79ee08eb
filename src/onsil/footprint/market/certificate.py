"""A retirement's certificate on paper: one page of tagged PDF with its public address as QR."""

import io
from html import escape

import segno

from onsil.core.paper import render
from onsil.footprint.terms import CreditBatch, Retirement

_STYLE = """
@page { size: A4; margin: 22mm 20mm }
body { font: 11pt/1.6 'NanumGothic', 'Noto Sans CJK KR', sans-serif; color: #1d1d1d;
  word-break: keep-all; overflow-wrap: anywhere; text-align: center }
.frame { border: .6mm solid #4f7a63; border-radius: 3mm; padding: 14mm 14mm 10mm }
.city { color: #555; margin: 0 } h1 { font-size: 22pt; margin: 2mm 0 8mm }
.tonnes { font-size: 34pt; font-weight: bold; margin: 0; color: #2f5d46 }
.lead { margin: 4mm auto 8mm; max-width: 130mm }
dl { display: grid; grid-template-columns: 34mm 1fr; gap: 1.6mm 5mm; text-align: left; margin: 0 }
dt { color: #555 } dd { margin: 0 }
.foot { display: flex; gap: 6mm; align-items: center; margin-top: 8mm; text-align: left;
  font-size: 8.5pt; color: #444 } .foot svg { width: 26mm; height: 26mm; flex: none }
"""
_WORDS = {
    "ko": {
        "title": "크레딧 사용 완료 증서",
        "lead": (
            "{beneficiary}의 배출을 상쇄하기 위해 {tonnes}톤의 크레딧을 사용 완료로 "
            "처리하였습니다. "
            "이 크레딧은 다시 팔거나 쓸 수 없습니다."
        ),
        "reason": "사유", "serials": "일련번호", "project": "사업", "vintage": "발생 연도",
        "when": "처리일", "id": "증서 번호", "jurisdiction": "쓰인 나라", "served": "쓰인 기간",
        "foot": (
            "아래 주소와 QR에서 이 증서를 확인할 수 있습니다. 처리 기록은 투명성 로그에 있으며, "
            "검증 가능한 자격증명(vc+jwt)도 받을 수 있습니다."
        ),
        "tonne": "tCO2e",
    },
    "en": {
        "title": "Certificate of retirement",
        "lead": (
            "{tonnes} credits were retired to offset emissions of {beneficiary}. They can never be "
            "sold or used again."
        ),
        "reason": "Reason", "serials": "Serials", "project": "Project", "vintage": "Vintage",
        "when": "Retired on", "id": "Certificate", "jurisdiction": "Used in", "served": "Used for",
        "foot": (
            "Check this certificate at the address below or by the QR code. The retirement is in "
            "the transparency log, and is also given as a verifiable credential (vc+jwt)."
        ),
        "tonne": "tCO2e",
    },
}  # fmt: skip


def certificate_pdf(
    made: Retirement, batch: CreditBatch, serials: str, project: str, city_name: str,
    address: str, language: str,
) -> bytes:  # fmt: skip
    """The certificate's PDF. Raises OperationError when the machine lacks the drawing library."""
    return render(certificate_page(made, batch, serials, project, city_name, address, language))


def certificate_page(
    made: Retirement, batch: CreditBatch, serials: str, project: str, city_name: str,
    address: str, language: str,
) -> str:  # fmt: skip
    """The certificate as one HTML page, every text of others escaped."""
    words = _WORDS["en" if language == "en" else "ko"]
    facts = [
        (words["reason"], made.reason), (words["serials"], serials), (words["project"], project),
        (words["vintage"], str(batch.vintage)),
        (words["when"], f"{made.created_at:%Y-%m-%d %H:%M} UTC"), (words["id"], str(made.id)),
    ]  # fmt: skip
    if made.jurisdiction:
        facts.insert(4, (words["jurisdiction"], made.jurisdiction))
    if made.served is not None:
        facts.insert(4, (words["served"], f"{made.served[0]} ~ {made.served[1]}"))
    lead = words["lead"].format(beneficiary=made.beneficiary, tonnes=made.tonnes)
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(words['title'])} · {escape(city_name)}</title><style>{_STYLE}</style>"
        f'</head><body><div class="frame"><p class="city">{escape(city_name)}</p>'
        f"<h1>{escape(words['title'])}</h1>"
        f'<p class="tonnes">{made.tonnes:,} {words["tonne"]}</p>'
        f'<p class="lead">{escape(lead)}</p><dl>{listed}</dl>'
        f'<div class="foot"><span role="img" aria-label="QR: {escape(address)}">{_qr(address)}'
        f"</span><p>{escape(words['foot'])}<br>{escape(address)}</p></div></div></body></html>"
    )


def _qr(address: str) -> str:
    held = io.BytesIO()
    segno.make(address, error="m").save(held, kind="svg", xmldecl=False, svgns=True, border=0)
    return held.getvalue().decode()
