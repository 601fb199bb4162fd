// Corrects attributes in Swagger UI that assistive technology depends on. The comments name the
// issues of Swagger UI.

/** Selectors, and the attributes of the elements; null removes one. */
const CORRECTIONS = [
    // #10075: a button with only a picture needs a name.
    ['.copy-to-clipboard button', { 'aria-label': 'Copy' }],
    ['.model-box-control', { title: 'Show or hide the members' }],
    ['.close-modal', { 'aria-label': 'Close' }],
    // #9353: the name of a button must contain its text.
    ['.auth-btn-wrapper .authorize', { 'aria-label': null }],
    // #5248: fields need labels, headings must not skip a level, and tables must remain tables.
    ['textarea.body-param__text', { 'aria-label': 'Request body' }],
    ['.examples-select-element', { 'aria-label': 'Example' }],
    ['h3.opblock-tag', { 'aria-level': '2' }],
    ['.models > h4', { 'aria-level': '2' }],
    ['.opblock-section-header h4', { 'aria-level': '3' }],
    ['.auth-container h6', { 'aria-level': '5' }],
    ['table[role=region]', { role: null }],
    // #5290: the keyboard must be able to scroll.
    ['pre.microlight', { tabindex: '0' }],
];

/** Corrects the page now and whenever it changes. */
export function repair() {
    const correct = () => {
        for (const [selector, attributes] of CORRECTIONS) {
            for (const element of document.querySelectorAll(selector)) {
                for (const [name, value] of Object.entries(attributes)) {
                    if (value === null) element.removeAttribute(name);
                    else element.setAttribute(name, value);
                }
            }
        }
    };
    new MutationObserver(correct).observe(document.body, { childList: true, subtree: true });
    correct();
}
