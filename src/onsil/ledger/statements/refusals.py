"""Why a statement cannot be made."""

from onsil.core.refusal import Refusal


def no_account(account: str, asset: str) -> Refusal:
    return Refusal(
        "statement-no-account",
        f"{account} 계정에는 {asset} 장부가 없습니다. 계정 이름과 자산을 확인해 주세요.",
        f"There is no account {account} in {asset}. Please check the account's code and the asset.",
        {"account": account, "asset": asset},
    )


def too_long(form: str, lines: int, most: int) -> Refusal:
    return Refusal(
        "statement-too-long",
        f"이 기간의 거래가 {lines:,}건이라 {form} 한 부({most:,}건까지)에 담을 수 없습니다. "
        "기간을 나누거나, 건수 제한이 없는 CSV로 받아 주세요.",
        f"This period has {lines:,} entries, more than the {most:,} that one {form} holds. "
        "Please choose a shorter period, or take the CSV, which has no limit.",
        {"form": form, "lines": lines, "most": most},
    )
