/** Whether there is a pager to show long results in, and which. */
export interface Pager {
  /** A line for the shell, from the environment of the user and nowhere else. */
  readonly command: string;
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Variables = Pager['env'];

/** null where no pager is wanted: none is named, or `cat`. BACKTRAIL_PAGER comes before PAGER. */
export function pagerOf(
  env: Variables,
  { columns = 0, rows = 0 }: { columns?: number; rows?: number },
): Pager | null {
  const command = (env['BACKTRAIL_PAGER'] ?? env['PAGER'] ?? 'less -FRX').trim();
  if (command === '' || command === 'cat' || columns === 0 || rows === 0) return null;
  return { command, columns, rows, env: { ...env, LESS: env['LESS'] ?? 'FRX', LV: env['LV'] ?? '-c' } };
}
