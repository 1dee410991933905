/** Parsers of option values. They are separate from the commands, so that a command line can be refused before its command is loaded. */
import { InvalidArgumentError, type Option } from 'commander';
import { REQUEST_STATUSES, type RequestStatus } from '../../engine/model/ledger.ts';

export function positive(text: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return number;
}

export function requestStatuses(text: string, before: RequestStatus[] = []): RequestStatus[] {
  const known = REQUEST_STATUSES.find((known) => known === text);
  if (known === undefined) throw new InvalidArgumentError(`It is one of ${REQUEST_STATUSES.join(', ')}.`);
  return [...before, known];
}

/** By their names in the table of commands: each sets itself on an option. */
export const PARSERS: Readonly<Record<string, (option: Option) => Option>> = {
  positive: (option) => option.argParser(positive),
  requestStatuses: (option) => option.argParser(requestStatuses),
};

/** The name of a parser; undefined for one that is local to its command. */
export const parserName = (parser: unknown): string | undefined =>
  parser === positive ? 'positive' : parser === requestStatuses ? 'requestStatuses' : undefined;
