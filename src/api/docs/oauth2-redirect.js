// Passes the response of the sign-in to the page that opened this window. Swagger UI's own script
// only warns if `state` is not the one that was sent. This script refuses such a response (RFC 6749,
// section 10.12).
(() => {
  const request = window.opener?.swaggerUIRedirectOauth2;
  if (!request) {
    document.querySelector('p').textContent =
      'This sign-in was not started from the docs page, or has already finished.';
    return;
  }
  const response = new URLSearchParams(location.search);
  const refuse = (message) =>
    request.errCb({ authId: request.auth.name, source: 'auth', level: 'error', message });
  const code = response.get('code');
  if (response.get('state') !== request.state) {
    refuse('The sign-in was refused: the response belongs to another request (state).');
  } else if (code) {
    delete request.state;
    request.auth.code = code;
    request.callback({ auth: request.auth, redirectUrl: request.redirectUrl });
  } else {
    const error = response.get('error') ?? 'no code';
    const description =
      response.get('error_description') ?? 'the response has neither a code nor an error';
    refuse(`The sign-in failed: ${error}: ${description}`);
  }
  window.close();
})();
