// The page: shows the todos, and calls the API for each thing that a person does.

import type { AccountInfo } from '@azure/msal-browser';
import { ApiError, createTodo, deleteTodo, listTodos, setComplete, type Todo } from './api';
import { currentAccount, signIn, signOut } from './auth';

const list = element('list', HTMLUListElement);
const name = element('name', HTMLInputElement);
const more = element('more', HTMLButtonElement);
let next: string | undefined;

element('sign-in', HTMLButtonElement).onclick = () => attempt(signIn);
element('sign-out', HTMLButtonElement).onclick = () => attempt(signOut);
more.onclick = () => attempt(showPage);
element('add', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    return attempt(async () => {
        const todo = await createTodo(name.value);
        // On the last page, which shows the newest todos.
        if (next === undefined) show(todo);
        name.value = '';
    });
};
await attempt(start);

async function start(): Promise<void> {
    let account: AccountInfo | null = null;
    try {
        account = await currentAccount();
    } finally {
        // If a sign-in has failed, the person can try again.
        for (const id of ['todos', 'sign-out']) element(id, HTMLElement).hidden = !account;
        for (const id of ['welcome', 'sign-in']) element(id, HTMLElement).hidden = account !== null;
    }
    if (!account) return;
    element('person', HTMLElement).textContent = account.name ?? account.username;
    await showPage();
}

/** Shows the first page, or the one after those that are already shown. */
async function showPage(): Promise<void> {
    const page = await listTodos(next);
    page.items.forEach(show);
    next = page.next;
    more.hidden = next === undefined;
}

function show(todo: Todo): void {
    const item = element('todo', HTMLTemplateElement).content.firstElementChild!.cloneNode(true);
    const row = item as HTMLLIElement;
    const box = row.querySelector('input')!;
    const remove = row.querySelector('button')!;
    row.querySelector('span')!.textContent = todo.name;
    box.checked = todo.is_complete;
    box.onchange = () => attempt(async () => {
        try {
            todo = await setComplete(todo.id, box.checked);
        } finally {
            box.checked = todo.is_complete;
        }
    });
    remove.setAttribute('aria-label', `Delete ${todo.name}`);
    remove.onclick = () => attempt(async () => {
        await deleteTodo(todo.id);
        row.remove();
        name.focus();
    });
    list.append(row);
}

/** Does something, and shows the error if it fails. */
async function attempt(action: () => Promise<void>): Promise<void> {
    const error = element('error', HTMLElement);
    error.textContent = '';
    try {
        await action();
    } catch (thrown) {
        console.error(thrown);
        error.textContent = describe(thrown);
    }
}

function describe(error: unknown): string {
    if (error instanceof ApiError) return error.message;
    // fetch throws a TypeError without a reason. The browser's console has more.
    if (error instanceof TypeError) return 'A server does not respond, or does not allow this origin.';
    return error instanceof Error ? error.message : String(error);
}

function element<T extends HTMLElement>(id: string, type: { new (): T }): T {
    const found = document.getElementById(id);
    if (!(found instanceof type)) throw new Error(`the page has no #${id}`);
    return found;
}
