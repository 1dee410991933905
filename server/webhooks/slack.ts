/**
 * For a chat: Slack, and what takes its form. What people wrote, and what a repository is named by, is shown as plain text: it makes no links, calls
 * nobody and is cut.
 */
import type { EventType } from './event-types.ts';
import type { Happening } from './happening.ts';

export interface SlackBody {
  readonly text: string;
  readonly blocks: readonly object[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

const TITLES: Readonly<Record<EventType, string>> = {
  'rollback.opened': 'Rollback asked for',
  'rollback.approved': 'Rollback approved',
  'rollback.rejected': 'Rollback rejected',
  'rollback.settled': 'Rollback settled',
  'rollback.superseded': 'Rollback superseded',
  'rollback.expired': 'Rollback expired',
  'rollback.cancelled': 'Rollback withdrawn',
  'rollback.proposed': 'Rollback proposed, to be merged',
  'rollback.linked': 'Rollback has a pull request',
  'rollback.reopened': 'Rollback needs approval again',
  'rollback.replanned': 'Rollback changed, and needs approval again',
  'rollback.completed': 'Rollback completed',
  'rollback.failed': 'Rollback failed',
  'rollback.retried': 'Rollback tried again',
  'rollback.noted': 'Note on a rollback',
  'break_glass.opened': 'Break-glass session opened',
  'break_glass.closed': 'Break-glass session closed',
  'break_glass.used': 'Rollback without approval, under break-glass',
  'break_glass.reviewed': 'Use of break-glass reviewed',
  live: 'Live',
  degraded: 'Degraded',
  'auto-rollback': 'Automatic rollback',
};

/** Characters, as they are sent: Slack refuses a message with more than 3,000 of them in one section, so all lines together have fewer. */
const LINE = 200;
const TEXT = 600;

export function slackBody(happening: Happening, url: string | null): SlackBody {
  const { type, scope, data } = happening;
  const title = `${TITLES[type]}: ${plain(scope, LINE)}`;
  const details = detailsOf(happening).map(
    ([name, text]) => `${name}: ${plain(text, name === 'By' ? LINE : TEXT)}`,
  );
  const isWaiting = data.request?.status === 'pending';
  return {
    text: escape(title),
    blocks: [
      section(title),
      ...(details.length > 0 ? [section(details.join('\n'))] : []),
      ...(url === null
        ? []
        : [
            {
              type: 'section',
              text: {
                type: 'mrkdwn',
                text: `<${escape(url)}|${isWaiting ? 'Look at it and decide' : 'Open the request'}>`,
              },
            },
          ]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** What a person says there, so that it matters whether it was them. */
const PERSONAL: ReadonlySet<EventType> = new Set([
  'rollback.opened',
  'rollback.approved',
  'rollback.rejected',
  'break_glass.opened',
  'break_glass.used',
  'break_glass.reviewed',
]);

function detailsOf({ type, data }: Happening): readonly (readonly [name: string, text: string])[] {
  const { event, request, session, rollback, deployment } = data;
  const actor = event?.actor ?? rollback?.author;
  const doubts = [
    ...(PERSONAL.has(type) && event?.identity === 'unverified'
      ? ['not signed by a key that is trusted here']
      : []),
    ...((event?.problems.length ?? 0) + (rollback?.problems.length ?? 0) > 0
      ? ['its record is not what Backtrail writes']
      : []),
    ...(deployment?.verified === false ? ['its record is not signed by a key that counts here'] : []),
  ];
  const lines: readonly (readonly [string, string | null | undefined])[] = [
    ['What', request?.message],
    ['Why', request?.justification ?? session?.justification ?? rollback?.reason],
    ['Failed with', request?.result?.status === 'failed' ? failure(request.result) : null],
    ['By', actor && `${actor.name} <${actor.email}>`],
    ['Note', type === 'rollback.failed' ? null : event?.comment],
    ['Until', session && !session.closed ? session.expiresAt : null],
    ['Status', request?.status],
    ['Seen', deployment?.note],
    ['Not rolled back', deployment?.automatic?.refused],
    ['Request', request?.id ?? rollback?.requestId ?? deployment?.automatic?.request],
    ['Doubt', doubts.length > 0 ? doubts.join('; ') : null],
  ];
  return lines.flatMap(([name, text]) => (text ? [[name, text] as const] : []));
}

const failure = ({ code, message }: { readonly code: string; readonly message: string }) =>
  `${code}: ${message}`;

const section = (text: string) => ({
  type: 'section',
  text: { type: 'plain_text', text: escape(text), emoji: false },
});

/** On one line, without what is not seen, and without what calls a whole channel where a receiver reads plain text for that. */
function plain(text: string, most: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .replace(/@(?=channel|here|everyone|all)/gi, '@\u200B');
  let kept = '';
  let size = 0;
  for (const character of line) {
    size += escape(character).length;
    if (size > most) return `${kept}…`;
    kept += character;
  }
  return line;
}

/** As Slack wants the three characters that it gives a meaning. */
const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
