// What this page changes in Swagger UI.

import { repair } from './accessibility.js';
import { nameIn, openSignIn } from './sign-in.js';

/** The plugin for a page whose API is at this URL. */
export const plugin = (base) => ({ React }) => {
    const { createElement, useLayoutEffect, useRef } = React;

    /** A modal dialog: the browser keeps the focus inside, and closes it with Escape. */
    const asDialog = (Popup) => function SignInDialog(props) {
        const dialog = useRef(null);
        useLayoutEffect(() => {
            const { current } = dialog;
            current.showModal();
            // Closing returns the focus to the button that opened the dialog.
            return () => current.close();
        }, []);
        const attributes = {
            ref: dialog,
            className: 'sign-in-dialog',
            'aria-label': 'Available authorizations',
            onClose: () => props.authActions.showDefinitions(false),
        };
        return createElement('dialog', attributes, createElement(Popup, props));
    };

    /** Shows who is signed in, next to the button that opens the dialog. */
    const withName = (Button) => function SignedIn(props) {
        const authorized = props.authSelectors.authorized();
        const token = authorized.first()?.get('token');
        const signOut = () =>
            props.authActions.logoutWithPersistOption(authorized.keySeq().toArray());
        return createElement('div', { className: 'signed-in' },
            token && createElement('p', null, nameIn(token) ?? 'Signed in'),
            token && createElement('button', { className: 'btn', onClick: signOut }, 'Sign out'),
            createElement(Button, props));
    };

    /** Leaves out the field for a secret: the client is public. */
    const withoutSecret = (Row) => function RowWithoutSecret(props) {
        const isSecret = (child) => child?.props?.htmlFor?.startsWith('client_secret');
        return React.Children.toArray(props.children).some(isSecret)
            ? null
            : createElement(Row, props);
    };

    return {
        afterLoad: repair,
        wrapComponents: {
            authorizationPopup: asDialog,
            AuthorizeBtnContainer: withName,
            Row: withoutSecret,
            // The page calls its own server only, so there is no choice of servers.
            ServersContainer: () => () => null,
            // A link inside a button cannot be reached. The button has the same effect.
            DeepLink: () => ({ text }) => createElement('span', null, text),
        },
        statePlugins: {
            auth: { wrapActions: { authPopup: () => openSignIn } },
            spec: {
                wrapActions: {
                    // The server may not know the address at which the browser reaches it.
                    updateSpec: (original) => (text) => original(JSON.stringify({
                        ...JSON.parse(text),
                        servers: [{ url: base.href }],
                    })),
                },
            },
        },
    };
};
