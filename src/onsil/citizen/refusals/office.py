"""Every 'no' around lists of policy money and their budgets, in whole sentences."""

from onsil.core.refusal import Refusal


def policy_file_unreadable() -> Refusal:
    return Refusal(
        "policy-file-unreadable",
        "파일을 읽을 수 없습니다. 아무것도 올리지 않았습니다. CSV(UTF-8 또는 CP949)나 "
        "엑셀(xlsx)로 저장해 다시 올려 주세요.",
        "The file cannot be read. Nothing was uploaded. Save it as CSV (UTF-8 or CP949) or as "
        "Excel (xlsx) and upload it again.",
    )


def policy_file_columns(missing: str) -> Refusal:
    names = {"대상자": "person", "금액": "amount"}
    english = ", ".join(names.get(name, "person, amount") for name in missing.split(", "))
    return Refusal(
        "policy-file-columns",
        f"첫 줄에 필요한 열이 없습니다: {missing}. 아무것도 올리지 않았습니다. 양식의 열 이름을 "
        "그대로 써 주세요.",
        f"The first row lacks a column that is needed: {english}. Nothing was uploaded. Use the "
        "template's names.",
        {"missing": missing},
    )


def policy_file_empty() -> Refusal:
    return Refusal(
        "policy-file-empty",
        "파일에 대상자가 없습니다. 아무것도 올리지 않았습니다.",
        "The file lists nobody. Nothing was uploaded.",
    )


def policy_file_too_long(rows: int) -> Refusal:
    return Refusal(
        "policy-file-too-long",
        f"한 번에 {rows:,}명까지 올릴 수 있습니다. 아무것도 올리지 않았습니다. 파일을 나누어 "
        "주세요.",
        f"A list may have up to {rows:,} rows. Nothing was uploaded. Please split the file.",
        {"rows": rows},
    )


def policy_nobody_to_pay() -> Refusal:
    return Refusal(
        "policy-nobody-to-pay",
        "지급할 수 있는 행이 없습니다. 승인을 요청하지 않았습니다. 파일을 고쳐 다시 올려 주세요.",
        "No row can be paid. Approval was not asked for. Please mend the file and upload it again.",
    )


def policy_over_limit(total: int, limit: int) -> Refusal:
    return Refusal(
        "policy-over-limit",
        f"합계 {total:,}원이 한 번에 지급할 수 있는 {limit:,}원을 넘습니다. 승인을 요청하지 "
        "않았습니다.",
        f"The sum of {total:,} won is above the {limit:,} that one list may pay. Approval was not "
        "asked for.",
        {"total_krw": total, "limit_krw": limit},
    )


def policy_file_used(title: str) -> Refusal:
    return Refusal(
        "policy-file-used",
        f"같은 파일을 ‘{title}’에서 이미 지급했거나 승인을 기다리고 있습니다. 두 번 지급하지 "
        "않습니다.",
        f"The same file was paid or waits for approval already (“{title}”). Nothing is paid twice.",
        {"title": title},
    )


def policy_list_changed(rows: int) -> Refusal:
    return Refusal(
        "policy-list-changed",
        f"올린 뒤에 {rows:,}행이 지급할 수 없게 되었습니다(기한 경과, 대상자 변경 등). 지급하지 "
        "않았습니다. 반려하고 새로 올려 주세요.",
        f"Since the upload {rows:,} rows can no longer be paid (past their end, person gone). "
        "Nothing was paid. Return the list and upload a new one.",
        {"rows": rows},
    )


def policy_reason_missing() -> Refusal:
    return Refusal(
        "policy-reason-missing",
        "반려하는 까닭을 적어 주세요. 아직 반려되지 않았습니다.",
        "Please say why the list is returned. It has not been returned yet.",
    )


def policy_fund_malformed() -> Refusal:
    return Refusal(
        "policy-fund-malformed",
        "재원 코드는 영문 소문자·숫자·붙임표로 적어 주세요(예: relief-2026). 아무것도 바뀌지 "
        "않았습니다.",
        "A fund's code is lower-case letters, digits and hyphens (such as relief-2026). Nothing "
        "was changed.",
    )


def policy_budget_amount() -> Refusal:
    return Refusal(
        "policy-budget-amount",
        "넣을 금액은 1원 이상의 정수여야 합니다. 아무것도 바뀌지 않았습니다.",
        "The amount must be a whole number of at least 1 won. Nothing was changed.",
    )
