/** Parsers of option values. They are separate from the commands, so that a command line can be refused before its command is loaded. */
import { InvalidArgumentError, type Option } from 'commander';
import { REQUEST_STATUSES, type RequestStatus } from '../../engine/model/ledger.ts';

export function positive(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return number;
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DAY = 24 * UNITS.h;

/** Milliseconds, of `90s`, `10m` or `2h`. */
export function duration(text: string): number {
  const [, number = '', letter = ''] = /^([1-9]\d{0,5})([smh])$/.exec(text) ?? [];
  const unit = Object.entries(UNITS).find(([name]) => name === letter)?.[1] ?? 0;
  const milliseconds = Number(number) * unit;
  if (milliseconds > 0 && milliseconds <= DAY) return milliseconds;
  throw new InvalidArgumentError('A duration is written as 90s, 10m or 2h, and is at most 24h.');
}

export function requestStatuses(text: string, before: RequestStatus[] = []): RequestStatus[] {
  const known = REQUEST_STATUSES.find((known) => known === text);
  if (known === undefined) throw new InvalidArgumentError(`It is one of ${REQUEST_STATUSES.join(', ')}.`);
  return [...before, known];
}

/** By their names in the table of commands: each sets itself on an option. */
export const PARSERS: Readonly<Record<string, (option: Option) => Option>> = {
  positive: (option) => option.argParser(positive),
  duration: (option) => option.argParser(duration),
  requestStatuses: (option) => option.argParser(requestStatuses),
};

/** The name of a parser; undefined for one that is local to its command. */
export const parserName = (parser: unknown): string | undefined => {
  if (parser === positive) return 'positive';
  if (parser === duration) return 'duration';
  return parser === requestStatuses ? 'requestStatuses' : undefined;
};
