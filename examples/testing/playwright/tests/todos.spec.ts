import { expect, test } from './fixtures.ts';

test('a person adds a todo, which is there after the next sign-in', async ({ page, todos }) => {
    await todos.signInAs('Uma');
    await expect(page.getByText('Uma Ulrich')).toBeVisible();
    await expect(todos.items).toHaveCount(0);

    await todos.add('Walk the dog');
    await expect(todos.items).toContainText(['Walk the dog']);

    await todos.signOut();
    await expect(page.getByText('Sign in to see your todos.')).toBeVisible();
    await expect(todos.items).toHaveCount(0);

    await todos.signInAs('Uma');
    await expect(todos.items).toContainText(['Walk the dog']);
});

test('another person does not see it, but an administrator does', async ({ page, todos }) => {
    await todos.signInAs('Uma');
    await todos.add('Walk the dog');
    await expect(todos.items).toContainText(['Walk the dog']);
    await todos.signOut();

    await todos.signInAs('Ulf');
    await expect(page.getByText('Ulf Urban')).toBeVisible();
    await expect(todos.items).toHaveCount(0);
    await todos.signOut();

    await todos.signInAs('Ada');
    await expect(todos.items).toContainText(['Walk the dog']);
});

test('a person who refuses consent can change their mind', async ({ page, tenant, todos }) => {
    await tenant.edit('PATCH', ['apps', 'Single-page app'], { consent_required: true });
    await todos.signInAs('Uma');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(todos.error).toContainText('AADSTS65004');

    await todos.signInAs('Uma');
    await page.getByRole('button', { name: 'Accept' }).click();
    await expect(page.getByText('Uma Ulrich')).toBeVisible();
});

test('the app shows an error while Entra does not respond', async ({ page, tenant, todos }) => {
    await tenant.fail('token', { status: 503 });
    await todos.signInAs('Uma');
    await expect(todos.error).not.toBeEmpty();
    await expect(page.getByText('Uma Ulrich')).toBeHidden();

    await tenant.reset();
    await todos.signInAs('Uma');
    await expect(page.getByText('Uma Ulrich')).toBeVisible();
});
