/** API tokens as people read them. */
import type { CreatedToken, TokenView } from '../../../server/tokens/manage.ts';
import { oneLine } from '../../terminal/clean.ts';
import { minute, type Style } from '../../print/style.ts';
import { type Column, table } from '../../print/table.ts';

const scopeText = ({ scope }: TokenView) => `${scope.allow.join(', ')} in ${scope.in.join(', ')}`;

export function tokenText(style: Style, token: TokenView | CreatedToken): string {
  const { id, name, person, expiresAt, state } = token;
  const facts: readonly (readonly [string, string])[] = [
    ...(name === null ? [] : [['name', name] as const]),
    ['person', person.email],
    ['scope', scopeText(token)],
    ['until', `${minute(expiresAt)} UTC`],
  ];
  return [
    `${style.paint(state === 'active' ? 'green' : 'dim', state)}  ${style.paint('bold', id)}`,
    ...facts.map(([label, text]) => `  ${label.padEnd(7)} ${oneLine(text)}`),
    ...('token' in token ? ['', token.token, style.paint('dim', 'It is not shown again.')] : []),
  ].join('\n');
}

const COLUMNS: readonly Column[] = [
  { head: 'token' },
  { head: 'state' },
  { head: 'person', wrap: true },
  { head: 'scope', wrap: true, drop: 1 },
  { head: 'until (UTC)', drop: 2 },
  { head: 'name', wrap: true, drop: 3 },
];

export function tokensText(style: Style, tokens: readonly TokenView[]): string {
  if (tokens.length === 0) return 'There are no tokens.';
  const rows = tokens.map((token) => [
    style.paint('bold', token.id),
    style.paint(token.state === 'active' ? 'green' : 'dim', token.state),
    oneLine(token.person.email),
    oneLine(scopeText(token)),
    minute(token.expiresAt),
    oneLine(token.name ?? ''),
  ]);
  return table(style, COLUMNS, rows);
}
