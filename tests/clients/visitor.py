"""A person with a browser that runs no scripts. The browser keeps cookies, follows redirects, and
fills in the forms of the development tenant, whatever they look like."""

from __future__ import annotations

import threading
import webbrowser
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

ADA = "ada@contoso.example"
UMA = "uma@contoso.example"
# The headings of the tenant's pages.
PICK = "Pick an account"
CONSENT = "Permissions requested"
ONE_ANSWER = 120
MOST_PAGES = 12


@dataclass
class Request:
    """A request of the browser. `form` is the body of a POST."""

    url: str
    form: dict[str, str] | None = None

    @property
    def mode(self) -> str:
        """The response mode, if this request carries the tenant's response to the app."""
        if self.form is not None:
            return "form_post"
        return "fragment" if urlsplit(self.url).fragment else "query"

    @property
    def answer(self) -> dict[str, str]:
        """The parameters of the tenant's response to the app."""
        if self.form is not None:
            return self.form
        url = urlsplit(self.url)
        return dict(parse_qsl(url.fragment or url.query, keep_blank_values=True))


class Visitor:
    """With the account `None`, the person presses the focused button, whichever it is."""

    def __init__(self, account: str | None = ADA) -> None:
        # The headings of the pages that the last request led to.
        self.pages: list[str] = []
        self._account = account
        self._browser = requests.Session()

    def visit(self, url: str, redirect_uri: str) -> Request:
        """Follows an app's link to the tenant. Returns the request that would go back."""
        back, page = self._walk(Request(url), redirect_uri=redirect_uri)
        assert back, f"no way back to {redirect_uri} from this page: {page}"
        return back

    def send_back(self, back: Request) -> None:
        """Sends the request that goes back to the app, which listens there."""
        response = self._send(back)
        assert response.status_code == 200, response.text

    def approve(self, verification_uri: str, user_code: str) -> None:
        """Enters the code that a device shows, and signs in for the device."""
        _, page = self._walk(Request(verification_uri), user_code=user_code)
        assert page, "the device page leads nowhere"

    def _walk(
        self, request: Request, redirect_uri: str | None = None, user_code: str | None = None
    ) -> tuple[Request | None, str | None]:
        """Returns the request to the redirect URI, or the text of the first page without a form."""
        self.pages = []
        for _ in range(MOST_PAGES):
            if redirect_uri and _is_at(request.url, redirect_uri):
                return request, None
            response = self._send(request)
            if location := response.headers.get("location"):
                request = Request(urljoin(request.url, location))
                continue
            page = _Page(response.text)
            assert response.status_code == 200, f"{urlsplit(request.url).path}: {page.text}"
            self.pages.append(page.heading)
            following = self._fill_in(page, request.url, user_code)
            if not following:
                return None, page.text
            if "user_code" in (following.form or {}):
                # The page asks again if the code was wrong.
                user_code = None
            request = following
        raise AssertionError(f"not finished after {MOST_PAGES} pages, at {request.url}")

    def _fill_in(self, page: _Page, url: str, user_code: str | None) -> Request | None:
        """What a person would do next: the request that submits the form."""
        for form in page.forms:
            fields = dict(form.hidden)
            button = form.button_for(self._account)
            if "user_code" in form.inputs:
                assert user_code, f"the page asks for a device code: {page.text}"
                fields["user_code"] = user_code
            elif not button and not form.hidden:
                continue
            if button and button.name:
                fields[button.name] = button.value
            assert form.method == "post", "the tenant's forms are posted"
            return Request(urljoin(url, form.action), fields)
        return None

    def _send(self, request: Request) -> requests.Response:
        return self._browser.request(
            "GET" if request.form is None else "POST",
            request.url,
            data=request.form,
            allow_redirects=False,
            timeout=ONE_ANSWER,
        )


class FakeBrowser(webbrowser.BaseBrowser):
    """The browser that a library opens for the person.

    It works in a thread, because the library listens only after the browser is open.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fault: BaseException | None = None
        # The library's last request, and the tenant's response to it.
        self.asked: Request | None = None
        self.back: Request | None = None
        # The person who uses the browser. If not set, a new one each time.
        self.visitor: Visitor | None = None
        webbrowser.register("visitor", None, self, preferred=True)

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.fault, self.asked, self.back = None, Request(url), None
        threading.Thread(target=self._visit, args=[url], daemon=True).start()
        return True

    def _visit(self, url: str) -> None:
        try:
            visitor = self.visitor or Visitor()
            # Before the library gets it: the test may continue then.
            self.back = visitor.visit(url, Request(url).answer["redirect_uri"])
            visitor.send_back(self.back)
        except BaseException as fault:
            self.fault = fault


def _is_at(url: str, redirect_uri: str) -> bool:
    here, there = urlsplit(url), urlsplit(redirect_uri)
    return here[:2] == there[:2] and (here.path or "/") == (there.path or "/")


@dataclass
class _Button:
    name: str | None
    value: str
    has_focus: bool
    text: str = ""


@dataclass
class _Form:
    action: str
    method: str
    hidden: dict[str, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    buttons: list[_Button] = field(default_factory=list)

    def button_for(self, account: str | None) -> _Button | None:
        """The button of the person, or the button that consents."""
        for button in self.buttons:
            is_theirs = account in button.text if account else button.has_focus
            if is_theirs or (button.name, button.value) == ("consent", "accept"):
                return button
        return None


class _Page(HTMLParser):
    """The forms and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.heading = ""
        self._is_heading = False
        self._words: list[str] = []
        self._button: _Button | None = None
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and self.forms:
            name = given.get("name", "")
            if given.get("type") == "hidden":
                self.forms[-1].hidden[name] = given.get("value", "")
            else:
                self.forms[-1].inputs.append(name)
        elif tag == "button" and self.forms:
            has_focus = "autofocus" in given
            self._button = _Button(given.get("name"), given.get("value", ""), has_focus)
            self.forms[-1].buttons.append(self._button)
        self._is_heading = tag == "h1"

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = None
        self._is_heading = False

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._button:
            self._button.text += data
        if self._is_heading:
            self.heading += data
