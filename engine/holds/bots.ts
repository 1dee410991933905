/** Authors that are automation. */
import type { Config, Person } from '../model/index.ts';

/** By `holds.bots`, or by a name that says so. */
export function isBot({ holds }: Config, author: Person): boolean {
  return isListed({ holds }, author) || SAYS_SO.test(author.name) || SAYS_SO.test(author.email);
}

const SAYS_SO =
  /\[bot\]|(?:^|[^\p{L}])(?:bot|fluxcdbot|renovate|dependabot|flux|argocd-image-updater|image-updater|automation|robot)(?:$|[^\p{L}])/iu;

/** By `holds.bots` alone: those may not lift a hold. */
export function isListed({ holds: { bots } }: Pick<Config, 'holds'>, { name, email }: Person): boolean {
  return bots.some((pattern) => matches(pattern, name) || matches(pattern, email));
}

function matches(pattern: string, text: string): boolean {
  const pieces = pattern.toLowerCase().split('*');
  const [first = '', ...rest] = pieces;
  let left = text.toLowerCase();
  if (rest.length === 0) return left === first;
  if (!left.startsWith(first)) return false;
  left = left.slice(first.length);
  const last = rest.pop() ?? '';
  // Greedy matching suffices for `*`; no backtracking.
  for (const piece of rest) {
    const at = left.indexOf(piece);
    if (at < 0) return false;
    left = left.slice(at + piece.length);
  }
  return left.endsWith(last);
}
