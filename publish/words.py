"""The words of verdicts and kinds, in English and Korean, for every table and page."""

import re
from typing import NamedTuple


class Word(NamedTuple):
    """One verdict: its sign, its name in Korean, and what it means."""

    sign: str
    korean: str
    meaning: str
    meaning_korean: str


class Kind(NamedTuple):
    """One kind of claim: its names, and the verdict that speaks for the lecture.

    good: that verdict, of many of them. judged: the verdicts that count as judged, the
    good one first; whatever else there is is told apart.
    """

    english: str
    korean: str
    good: str
    meaning: str
    meaning_korean: str
    judged: tuple[str, ...]


VERDICTS = {
    "reproduced": Word("✓", "재현됨", "as ours", "우리 값과 같음"),
    "above": Word("▲", "더 높음", "our runs lie above it", "우리 실행이 더 높음"),
    "below": Word("▼", "더 낮음", "our runs lie below it", "우리 실행이 더 낮음"),
    "typical": Word(
        "✓", "흔함", "many of our networks end so", "우리 망도 흔히 그렇게 끝남"
    ),
    "rare": Word(
        "▼", "드묾", "hardly any of ours end so", "우리 망은 거의 그렇게 끝나지 않음"
    ),
    "holds": Word("✓", "성립", "our networks say so, too", "우리 망에서도 그러함"),
    "does not hold": Word(
        "✕", "성립하지 않음", "our networks say otherwise", "우리 망에서는 그렇지 않음"
    ),
    "undecided": Word(
        "≈", "가리지 못함", "the interval allows either", "구간이 어느 쪽도 허용함"
    ),
    "as published": Word(
        "✓", "원전과 같음", "as its publication has it", "원래 출판물에 그렇게 있음"
    ),
    "erratum": Word("✎", "오류", "the slide has it wrong", "슬라이드가 틀림"),
    "mismatch": Word(
        "✕", "불일치", "differs, and nobody says why", "다른데 설명이 없음"
    ),
    "unchecked": Word(
        "❝", "미확인", "publication not at hand", "원래 출판물을 확인하지 못함"
    ),
    "other budget": Word(
        "≠", "다른 조건", "trained in another way", "학습한 조건이 다름"
    ),
    "unjudged": Word("?", "판정 없음", "fewer than three seeds", "시드가 세 개 미만"),
    "runs": Word("✓", "실행됨", "a recipe shows it", "레시피가 보여 줌"),
    "not yet": Word(
        "○", "아직 없음", "no recipe or no result yet", "레시피나 결과가 아직 없음"
    ),
}

KINDS = {
    "run": Kind(
        "training runs",
        "학습 실행",
        "reproduced",
        "one run of unknown seed",
        "시드를 모르는 실행 한 번의 값",
        ("reproduced", "above", "below", "undecided"),
    ),
    "conclusion": Kind(
        "conclusions",
        "결론",
        "hold",
        "what the lecture concludes",
        "강의가 내린 결론",
        ("holds", "does not hold", "undecided"),
    ),
    "chance": Kind(
        "single outcomes",
        "한 번의 결과",
        "typical",
        "one run that can end in few ways",
        "끝이 몇 가지뿐인 실행 한 번",
        ("typical", "rare", "undecided"),
    ),
    "exact": Kind(
        "arithmetic",
        "계산",
        "agree",
        "recomputed to every digit",
        "모든 자리까지 다시 계산",
        ("reproduced", "erratum", "mismatch"),
    ),
    "formula": Kind(
        "formulas",
        "식",
        "agree",
        "a slide's formula, its value computed",
        "슬라이드의 식으로 계산한 값",
        ("reproduced", "erratum", "mismatch"),
    ),
    "cited": Kind(
        "cited",
        "인용",
        "as published",
        "held against its publication",
        "원래 출판물과 대조",
        ("as published", "erratum"),
    ),
    "published": Kind(
        "papers' figures",
        "논문의 수치",
        "reproduced",
        "beside the configuration it belongs to",
        "그 값이 나온 조건과 나란히",
        ("reproduced", "above", "below", "undecided"),
    ),
    "system": Kind(
        "systems",
        "시스템",
        "run here",
        "named without a number",
        "숫자 없이 이름만 나옴",
        ("runs", "not yet"),
    ),
}


def verdict_in(word: str, korean: bool) -> str:
    """A verdict in English or Korean; nothing for a control, which has none."""
    if word == "control":
        return ""
    return VERDICTS[word].korean if korean else word


def in_korean(figure: str) -> str:
    """A figure as `results` writes it, with its few English words in Korean."""
    figure = re.sub(r"([\d,]+) of ([\d,]+)", r"\2개 중 \1개", figure)
    return re.sub(r"((?:\d+ x )+\d+) values", r"값 \1개", figure)
