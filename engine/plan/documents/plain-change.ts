/**
 * Whether two texts are the same line by line, but for values of images, tags and replicas that stand on a line of their own: most
 * rollbacks change nothing else, and need not be taken apart to know what they do not change.
 */
export function isPlainChange(one: string, other: string): boolean {
  const [lines, others] = [one.split('\n'), other.split('\n')];
  return (
    lines.length === others.length &&
    lines.every(
      (line, index) => line === others[index] || (isPlain(line) && sameKey(line, others[index] ?? '')),
    )
  );
}

const PLAIN = /^(\s*(?:- )?(?:image|tag|newTag|replicas): +)["']?[\w./:@+-]+["']?\s*$/;

const isPlain = (line: string) => PLAIN.test(line);

const sameKey = (line: string, other: string) => PLAIN.exec(line)?.[1] === PLAIN.exec(other)?.[1];
