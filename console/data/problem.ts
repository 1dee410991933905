/** What became of a call that gave no answer of its own, as pages tell people apart. */
import type { ProblemDocument } from '../contract.ts';

/**
 * `offline`: this device has no network. `away`: the server does not answer. `signed-out`: it does not know who asks. `denied`: whoever asks may
 * not. `missing`: there is none. `refused`: it says why. `broken`: it failed.
 */
export type ProblemKind = 'offline' | 'away' | 'signed-out' | 'denied' | 'missing' | 'refused' | 'broken';

export interface Problem {
  readonly kind: ProblemKind;
  /** Match on this; empty where no server said one. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export function problemOf(status: number, document: Partial<ProblemDocument>): Problem {
  const {
    code = '',
    detail = `The server answered with status ${status}.`,
    hint = '',
    details = {},
  } = document;
  return { kind: kindOf(status), code, message: detail, hint, details };
}

function kindOf(status: number): ProblemKind {
  if (status === 401) return 'signed-out';
  if (status === 403) return 'denied';
  if (status === 404) return 'missing';
  // A proxy says that what is behind it is away.
  if (status === 502 || status === 504) return 'away';
  return status >= 500 ? 'broken' : 'refused';
}

/** Of what was sent to be done, and not only asked for. */
const LOST =
  'Nobody knows here whether it arrived, and it is not sent again by itself: look, and send it again.';

export const unreachable = (isOnline: boolean, isSent = false): Problem =>
  isOnline
    ? {
        kind: 'away',
        code: '',
        message: 'The server does not answer.',
        hint: `${isSent ? LOST : 'It is asked again by itself.'} The command line works on the repository without it.`,
        details: {},
      }
    : {
        kind: 'offline',
        code: '',
        message: 'This device is offline.',
        hint: isSent
          ? LOST
          : 'What was loaded before stays on the page; it is brought up to date when the network is back.',
        details: {},
      };
