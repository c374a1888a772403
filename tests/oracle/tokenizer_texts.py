"""Texts that tokenizers stumble over, and the texts of the data sets. All from fixed seeds."""
import json
import os
import random
import unicodedata
from pathlib import Path

SOURCE = Path(os.environ.get("SPD_SOURCE_DIR") or Path(__file__).resolve().parents[2])

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, twice; then it rests.",
    "Il n'est pas où Noël a été fêté, à l'époque, près du café de Hélène.",
    "Größe, Straße, Übung und ein naïver Ångström-Maßstab: 3,14 × 10⁻⁵ µm.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "我能吞下玻璃而不伤身体。今天是2024年3月15日，星期五。",
    "私はガラスを食べられます。それは私を傷つけません。ｱｲｳ カタカナ",
    "나는 유리를 먹을 수 있어요. 그래도 아프지 않아요.",
    "أنا قادر على أكل الزجاج و هذا لا يؤلمني. ١٢٣٤٥",
    "אני יכול לאכול זכוכית וזה לא מזיק לי. שָׁלוֹם",
    "मैं काँच खा सकता हूँ और मुझे उससे कोई चोट नहीं पहुंचती। ४५६",
    "ฉันกินกระจกได้ แต่มันไม่ทำให้ฉันเจ็บ ๗๘๙",
    "Tiếng Việt: Tôi có thể ăn thủy tinh mà không hại gì.",
    "Ὕαλον ϕαγεῖν δύναμαι· τοῦτο οὔ με βλάπτει.",
    "def f(x):\n    return [x**2 for x in range(10)]  # comment\n\n\tif x: pass\r\n",
    "<html>\n  <body class=\"a\">&nbsp;</body>\n</html>",
    "E = mc²; ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β = ¬(¬α ∨ β)",
]
EMOJI = ["😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "☺️", "☺", "🧑🏿‍🚀", "❤️‍🔥", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "♀️", "🫠", "👩🏻‍🤝‍👨🏿"]
MARKS = ["\u0301", "\u0316", "\u0308", "\u0323", "\u0345", "\u05b0", "\u0327", "\u3099", "\u0e38", "\u0f71", "\u20d0"]
BLANKS = [" ", "\t", "\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u00a0", "\u1680", "\u2003", "\u2028", "\u3000", "\u200b"]
WORDS = ["a", "Z", "the", "é", "ß", "中", "한", "1", "42", "½", "²", "٣", "!", "...", "'", "$", "_", "\u0301", "😀", "x\u0323\u0307"]
CONTRACTIONS = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "vE", "M", "LL", "lL", "D", "ſ", "ſt", "rE", "r", "v",
                "l", "x", "re'll", "s's", "\u0301s", "ê", "d\u0301"]


def of_every_category():
    """A few hundred characters of each category, alone, in words, among blanks and digits."""
    rng = random.Random(1)
    categories = {}
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            categories.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    for characters in categories.values():
        for c in rng.sample(characters, min(40, len(characters))):
            yield f"{c}"
            yield f"ab{c}cd {c}{c} 12{c}3 \n{c}\n '{c} {c}'s"
        for _ in range(12):
            yield "".join(rng.choices(characters, k=30))
    everything = [c for characters in categories.values() for c in rng.sample(characters, min(40, len(characters)))]
    for _ in range(300):
        yield "".join(rng.choices(everything, k=rng.randint(1, 60)))


def normalisation_forms():
    for sentence in SENTENCES:
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            yield unicodedata.normalize(form, sentence)
    rng = random.Random(2)
    for _ in range(400):
        yield "".join(rng.choice("aeouAEOUnçœkKßあカ\u1100\u1161\u11a8\uac00中<'1 ") + "".join(rng.choices(MARKS, k=rng.randint(0, 5)))
                      for _ in range(rng.randint(1, 12)))
    yield "\u0344\u0958\u2126\u212b\ufb1d\U0001d15e\u1e9b\u0323"
    yield "a" + "\u0301\u0316" * 300 + "b"
    yield "\u09c7\u09be\u0bc6\u0bd7\u1025\u102e \U00011131\U00011127\U000114b9\U000114ba \U00011935\U00011930"


def blanks_and_lines():
    rng = random.Random(3)
    for length in (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1000, 5000):
        for blank in (" ", "\n", "\t", "\r\n", "\r", "\u00a0", "\u3000", " \n", "\n "):
            yield blank * length
            yield f"x{blank * length}y"
    for _ in range(700):
        yield "".join(rng.choice(BLANKS if rng.random() < 0.6 else WORDS) for _ in range(rng.randint(1, 40)))


def digits_and_contractions():
    rng = random.Random(4)
    for _ in range(300):
        yield "".join(rng.choice("0123456789.,-+% /:eE") for _ in range(rng.randint(1, 40)))
        yield "".join(rng.choice("0٣४²½Ⅷ一𝟘㊿1 a") for _ in range(rng.randint(1, 20)))
    for before in ("", "I", "x ", "1", "'", " ", "\n", "é", "."):
        for end in CONTRACTIONS:
            yield f"{before}'{end}"
            yield f"{before}'{end}a '{end} 1"
            yield f"{before}\u2019{end}z"


def emoji_sequences():
    rng = random.Random(5)
    for e in EMOJI:
        yield e
        yield f"a{e}b {e} {e}{e}\n{e}1"
    for _ in range(150):
        yield "".join(rng.choice(EMOJI + WORDS + [" "]) for _ in range(rng.randint(2, 20)))


def with_special_tokens(contents):
    """Special tokens inside the user's text: whole, broken, nested, glued to words and blanks."""
    rng = random.Random(6)
    for content in contents:
        yield content
        yield f"a{content}b"
        yield f"  {content}  {content}{content}\n"
        yield f"{content[:-1]} {content[1:]} <{content}>"
    for _ in range(400):
        parts = [rng.choice(contents) for _ in range(rng.randint(1, 4))] + [rng.choice(WORDS + BLANKS) for _ in range(6)]
        rng.shuffle(parts)
        text = "".join(parts)
        yield text
        at = rng.randrange(len(text))
        yield text[:at] + text[at + 1:]


def random_strings():
    rng = random.Random(7)
    pools = [range(0x20, 0x7F), range(0, 0x100), range(0, 0x3000), range(0, 0xD800), range(0x1F000, 0x1FB00)]
    for _ in range(900):
        pool = rng.choice(pools)
        yield "".join(chr(rng.choice(pool)) for _ in range(rng.randint(0, 80)))
    letters = "aabcdeeefghiilmnoooprsttu    \n.,'-_()=\"0123AET"
    for _ in range(500):
        yield "".join(rng.choice(letters) for _ in range(rng.randint(0, 200)))


def special_texts(contents):
    texts = ["", " ", "\0", "\ufeff", "a\0b", *SENTENCES]
    for source in (of_every_category, normalisation_forms, blanks_and_lines, digits_and_contractions, emoji_sequences,
                   random_strings):
        texts.extend(source())
    texts.extend(with_special_tokens(contents))
    return texts


def data_set_texts():
    """Every text of GSM8K and MBPP, whole."""
    texts = []
    for name in ("gsm8k", "mbpp"):
        files = sorted((SOURCE / "resources/datasets" / name).glob("*.json*"))
        for path in files:
            content = path.read_text(encoding="utf-8")
            rows = json.loads(content) if path.suffix == ".json" else map(json.loads, content.splitlines())
            texts += ["\n".join(map(str, row.values())) for row in rows]
    return texts


def invalid_utf8():
    """Bytes that are no UTF-8, by kind and at random."""
    rng = random.Random(8)
    kinds = [b"\x80", b"\xbf\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc3", b"\xe2\x82", b"\xe2", b"\xe0\x9f\xbf", b"\xed\xa0\x80",
             b"\xed\xb0\x80", b"\xf0\x9f\x98", b"\xf0\x9f", b"\xf0", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
             b"\xf5\x80\x80\x80", b"\xff\xfe", b"\xc3\x28", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"\xe2\x82\xe2\x82\xac"]
    for kind in kinds:
        yield kind
        yield b"ab " + kind + b" cd" + kind
        yield "é".encode() + kind + "e\u0301".encode() + kind * 3
    good = ["a", " ", "é", "中", "😀", "<|im_start|>", "\u0301", "1"]
    for _ in range(400):
        parts = [rng.choice(kinds) if rng.random() < 0.4 else rng.choice(good).encode() for _ in range(rng.randint(1, 12))]
        yield b"".join(parts)
    for _ in range(400):
        yield bytes(rng.randrange(256) for _ in range(rng.randint(1, 40)))
