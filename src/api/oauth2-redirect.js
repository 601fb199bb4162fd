// Hands the answer of the sign-in to the page that opened this window. Swagger UI's own script only
// warns when `state` is not the one that was sent; here such an answer is refused (RFC 6749,
// section 10.12).
(() => {
  const request = window.opener?.swaggerUIRedirectOauth2;
  if (!request) {
    document.querySelector('p').textContent =
      'Nobody waits for this sign-in. Open the docs page and start from there.';
    return;
  }
  const answer = new URLSearchParams(location.search);
  const refuse = (message) =>
    request.errCb({ authId: request.auth.name, source: 'auth', level: 'error', message });
  const code = answer.get('code');
  if (answer.get('state') !== request.state) {
    refuse('The sign-in was refused: the answer belongs to another request (state).');
  } else if (code) {
    delete request.state;
    request.auth.code = code;
    request.callback({ auth: request.auth, redirectUrl: request.redirectUrl });
  } else {
    const error = answer.get('error') ?? 'no code';
    const description = answer.get('error_description') ?? 'the answer has neither code nor error';
    refuse(`The sign-in failed: ${error}: ${description}`);
  }
  window.close();
})();
