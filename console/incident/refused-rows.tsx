/** Rollbacks of which something was refused, each with why. */
import { Prose } from '../parts/prose.tsx';

interface RefusedRow {
  readonly scope: string;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string } | undefined;
}

export function RefusedRows({ of }: { readonly of: readonly RefusedRow[] }) {
  return (
    <ul class="rows">
      {of.map(({ scope, error }, index) => (
        <li class="row" key={index}>
          <span class="grow">
            <b>{scope}</b>
            <span class="failure block">
              {error?.message} <span class="code">{error?.code}</span>
            </span>
            <span class="hint block">
              <Prose text={error?.hint ?? ''} />
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
