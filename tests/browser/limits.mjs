// When the scripts give up. The limits only end a script that hangs. They say nothing about speed,
// because in CI, all tests share two processors.

/** The limit in milliseconds for one wait, such as for a page or a response. */
export const ONE_WAIT = 120_000;

/** The limit in milliseconds for one flow of a client. */
export const ONE_FLOW = 600_000;

/** The limit in milliseconds for a whole script. */
export const WHOLE_SCRIPT = 1_800_000;
