// A person with a browser that runs no scripts. The browser keeps cookies, follows redirects, and
// fills in the forms of the development tenant, whatever they look like.

import assert from 'node:assert/strict';
import { ONE_WAIT } from '../../browser/limits.mjs';

export const ADA = 'ada@contoso.example';
export const UMA = 'uma@contoso.example';
/** The headings of the tenant's pages. */
export const PICK = 'Pick an account';
export const CONSENT = 'Permissions requested';
const MOST_PAGES = 12;

export class Visitor {
    /** The headings of the pages that the last request led to. */
    pages = [];
    #cookies = new Map();
    #account;

    /** With the account `null`, the person presses the focused button, whichever it is. */
    constructor(account = ADA) {
        this.#account = account;
    }

    /**
     * Follows an app's link to the tenant, to sign in or out. Returns the request that would take
     * the browser back to the app.
     */
    async visit(url, redirectUri) {
        const { back, page } = await this.#walk({ url: new URL(url) }, { redirectUri });
        assert.ok(back, `no way back to ${redirectUri} from this page: ${page}`);
        return back;
    }

    /** Like `visit`, but also sends the request back to the app, which listens there. */
    async visitAndReturn(url) {
        const back = await this.visit(url, new URL(url).searchParams.get('redirect_uri'));
        const response = await send(back);
        assert.equal(response.status, 200, await response.text());
        return back;
    }

    /** Enters the code that a device shows, and signs in for the device. */
    async approve(verificationUri, userCode) {
        const { page } = await this.#walk({ url: new URL(verificationUri) }, { userCode });
        assert.ok(page, 'the device page leads nowhere');
    }

    /** Returns `back`, the request to the redirect URI, or `page`, the first one without a form. */
    async #walk(request, { redirectUri, userCode }) {
        const answers = { account: this.#account, userCode };
        this.pages = [];
        for (let pages = 0; pages < MOST_PAGES; pages += 1) {
            if (redirectUri && isAt(request.url, redirectUri)) return { back: request };
            const response = await this.#send(request);
            const location = response.headers.get('location');
            if (location) {
                request = { url: new URL(location, request.url) };
                continue;
            }
            const page = await response.text();
            assert.equal(response.status, 200, `${request.url.pathname}: ${textOf(page)}`);
            this.pages.push(headingOf(page));
            const form = fillIn(parseForms(page), answers);
            if (!form) return { page: textOf(page) };
            request = submission(form, request.url);
        }
        throw new Error(`not finished after ${MOST_PAGES} pages, at ${request.url}`);
    }

    async #send(request) {
        // Every host here is the tenant: pages of an app are never requested.
        const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const response = await send(request, cookie);
        for (const line of response.headers.getSetCookie()) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
            const isGone = /;\s*max-age=0/i.test(line) || /;\s*expires=[^;]*1970/i.test(line);
            if (isGone) this.#cookies.delete(name);
            else this.#cookies.set(name, value);
        }
        return response;
    }
}

/** The response mode and the parameters of the tenant's response to the app. */
export function answerIn({ url, form }) {
    if (form) return { mode: 'form_post', answer: form };
    if (url.hash) return { mode: 'fragment', answer: new URLSearchParams(url.hash.slice(1)) };
    return { mode: 'query', answer: url.searchParams };
}

function send({ url, form }, cookie) {
    return fetch(url, {
        method: form ? 'POST' : 'GET',
        body: form,
        headers: cookie ? { cookie } : {},
        redirect: 'manual',
        signal: AbortSignal.timeout(ONE_WAIT),
    });
}

function isAt(url, redirectUri) {
    const { origin, pathname } = new URL(redirectUri);
    return url.origin === origin && url.pathname === pathname;
}

/** What a person would do next: the form, with the fields to submit. */
function fillIn(forms, answers) {
    for (const form of forms) {
        const fields = new URLSearchParams(form.hidden);
        const account = form.buttons.find(({ text, isFocused }) => (
            answers.account ? text.includes(answers.account) : isFocused
        ));
        const consent = form.buttons.find(
            (button) => button.name === 'consent' && button.value === 'accept',
        );
        const button = account ?? consent;
        if (form.inputs.includes('user_code')) {
            assert.ok(answers.userCode, 'the page asks for a device code');
            fields.set('user_code', answers.userCode);
            // The page asks again if the code was wrong.
            answers.userCode = undefined;
        } else if (!button && form.hidden.length === 0) {
            continue;
        }
        if (button?.name) fields.set(button.name, button.value);
        return { ...form, fields };
    }
    return undefined;
}

function submission({ action, method, fields }, page) {
    const url = new URL(action || page, page);
    if (method === 'post') return { url, form: fields };
    url.search = fields;
    return { url };
}

function parseForms(page) {
    return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head, body]) => {
        const { action, method = 'get' } = attributes(head);
        const inputs = [...body.matchAll(/<input\b([^>]*)>/g)]
            .map(([, input]) => attributes(input));
        const buttons = [...body.matchAll(/<button\b([^>]*)>(.*?)<\/button>/gs)];
        return {
            action,
            method: method.toLowerCase(),
            hidden: inputs.filter(({ type }) => type === 'hidden')
                .map(({ name, value = '' }) => [name, value]),
            inputs: inputs.filter(({ type }) => type !== 'hidden').map(({ name }) => name),
            buttons: buttons.map(([, button, label]) => {
                const { name, value = '', autofocus } = attributes(button);
                return { name, value, text: textOf(label), isFocused: autofocus !== undefined };
            }),
        };
    });
}

function attributes(head) {
    const pairs = head.matchAll(/([\w-]+)(?:="([^"]*)")?/g);
    return Object.fromEntries([...pairs].map(([, name, value = '']) => [name, decode(value)]));
}

function headingOf(page) {
    return textOf(/<h1>(.*?)<\/h1>/s.exec(page)?.[1] ?? '');
}

function textOf(html) {
    const visible = html.replace(/<head\b.*?<\/head>/s, '').replace(/<[^>]*>/g, ' ');
    return decode(visible).replace(/\s+/g, ' ').trim();
}

function decode(text) {
    const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };
    return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (entity, decimal, hex, name) => {
        if (decimal) return String.fromCodePoint(Number.parseInt(decimal, 10));
        if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
        return named[name] ?? entity;
    });
}
