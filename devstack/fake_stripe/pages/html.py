"""HTML of the pages: a frame, forms, amounts."""

from html import escape

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;
color:#1a1f36}
main{border:1px solid #e3e8ee;border-radius:8px;padding:1.5rem}
button{font:inherit;padding:.5rem 1.2rem;margin:.5rem .5rem 0 0;border-radius:6px;
border:1px solid #635bff;background:#635bff;color:#fff;cursor:pointer}
button.plain{background:#fff;color:#635bff}
input{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}
[role=alert]{color:#b3093c}
table{width:100%}td:last-child{text-align:right}small{color:#697386}
"""
_WITHOUT_DECIMALS = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx"}
_WITHOUT_DECIMALS |= {"vnd", "vuv", "xaf", "xof", "xpf"}


def page(title: str, content: str, problem: str = "") -> str:
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<main><h1>{escape(title)}</h1>{alert}{content}</main>"
        "<p><small>A fake Stripe: no card is asked for, no money moves.</small></p></html>"
    )


def form(buttons: dict[str, str], inside: str = "", **hidden: str) -> str:
    """Return a form with a button for each action; the first one stands out."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    markup = "".join(
        f'<button name="action" value="{escape(action)}"{" class=plain" if position else ""}>'
        f"{escape(label)}</button>"
        for position, (action, label) in enumerate(buttons.items())
    )
    return f'<form method="post">{fields}{inside}{markup}</form>'


def money(amount: int, currency: str) -> str:
    digits = 0 if currency in _WITHOUT_DECIMALS else 2
    whole, rest = divmod(abs(amount), 10**digits)
    sign = "−" if amount < 0 else ""
    return f"{sign}{whole}{f'.{rest:02}' if digits else ''} {currency.upper()}"
