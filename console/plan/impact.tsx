/** How much a plan would change, in numbers and names. */
import type { GatedPlan } from '../contract.ts';

export function Impact({
  of: { impact, manifests, kept },
}: {
  readonly of: Pick<GatedPlan, 'impact' | 'manifests' | 'kept'>;
}) {
  const { services, bindings, variables, files, fields } = impact;
  const counts: readonly (readonly [string, number])[] = [
    ['Services', services.length],
    ['Files', files],
    ['Fields', fields],
    ['Bindings', bindings.length],
    ['Variables', variables.length],
    ['Manifests', manifests.length],
    ['Kept', kept.length],
  ];
  const names: readonly (readonly [string, readonly string[]])[] = [
    ['Services', services],
    ['Bindings', bindings],
    ['Variables', variables],
  ];
  return (
    <section class="part" aria-label="Impact">
      <h3>Impact</h3>
      <dl class="numbers">
        {counts.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      {names.map(
        ([name, all]) =>
          all.length > 0 && (
            <p class="faint" key={name}>
              {name}: {all.slice(0, MOST_NAMES).join(', ')}
              {all.length > MOST_NAMES && ` and ${all.length - MOST_NAMES} more`}
            </p>
          ),
      )}
    </section>
  );
}

const MOST_NAMES = 12;
