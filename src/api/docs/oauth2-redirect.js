// Passes the response of the sign-in to the docs page, through the channel that the page opened for
// this `state`. This works without `window.opener`, which the authority's page can remove.

const response = new URLSearchParams(location.search);
// Keep the code out of the history.
history.replaceState(null, '', location.pathname);

const show = (heading, reason) => {
    document.title = heading;
    document.querySelector('h1').textContent = heading;
    document.querySelector('#reason').textContent = reason;
};
const error = response.get('error') ?? 'no code';
const description =
    response.get('error_description') ?? 'the response has neither a code nor an error';

const channel = new BroadcastChannel(`sign-in ${response.get('state')}`);
channel.onmessage = () => {
    channel.close();
    clearTimeout(timer);
    document.querySelector('#back').hidden = true;
    show('Sign-in complete', 'The docs page has the response. You can close this window.');
    window.close();
};
const timer = setTimeout(() => {
    const reason = response.get('code')
        ? 'No open docs page is waiting for this response. The page was closed or reloaded, the '
            + 'sign-in has already finished, or it was not started there.'
        : `${error}: ${description}`;
    show('The sign-in did not finish', reason);
    document.querySelector('#back').hidden = false;
}, 2000);
channel.postMessage({ code: response.get('code'), error, description });
