/** What a plan would change, service by service, with its manifests, what it keeps and what it holds. */
import type { ComponentChildren } from 'preact';
import type { GatedPlan } from '../contract.ts';
import { Difference } from '../difference/difference.tsx';
import { ViewChoice } from '../difference/view.tsx';
import { Empty } from '../parts/states.tsx';
import { counted } from './reach.ts';

type Shown = Pick<GatedPlan, 'changes' | 'manifests' | 'kept' | 'hold' | 'replacesHolds'>;

export function Changes({ of }: { readonly of: Shown }) {
  const { changes, manifests, kept } = of;
  return (
    <section class="part" aria-label="Changes">
      <h3>Changes</h3>
      {changes.length === 0 ? <Empty>Nothing would change.</Empty> : <ViewChoice />}
      {changes.map(({ service, files }) => (
        <section class="part" key={service ?? ''} aria-label={service ?? 'The environment itself'}>
          <h4>{service ?? 'The environment itself'}</h4>
          <Difference files={files} />
        </section>
      ))}
      {manifests.length > 0 && (
        <More title={`Manifests: ${counted(manifests.length, 'file')}`}>
          <Difference files={manifests} />
        </More>
      )}
      {kept.length > 0 && (
        <More title={`Kept as it is: ${counted(kept.length, 'part')}`}>
          <ul class="fields">
            {kept.map(({ path, selector, by }) => (
              <li key={`${path}#${selector ?? ''}`}>
                <code class="path">{selector === undefined ? path : `${path}#${selector}`}</code>{' '}
                <span class="faint">by {by}</span>
              </li>
            ))}
          </ul>
        </More>
      )}
      <Held of={of} />
    </section>
  );
}

function More({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <details class="more">
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function Held({ of: { hold, replacesHolds = [] } }: { readonly of: Shown }) {
  if (hold === undefined && replacesHolds.length === 0) return null;
  return (
    <section class="part" aria-label="Hold">
      <h4>Hold</h4>
      {hold !== undefined && (
        <>
          <p>
            Automation may not move {counted(hold.fields.length, 'field')}{' '}
            {hold.for === null ? 'until somebody resumes automation' : `for ${hold.for}`}.
          </p>
          <ul class="fields">
            {hold.fields.map(({ path, selector, held }) => (
              <li key={`${path}#${selector}`}>
                <code class="path">{selector === '' ? path : `${path}#${selector}`}</code> held at{' '}
                <code>{held ?? 'absent'}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      {replacesHolds.length > 0 && <p>It takes the place of {counted(replacesHolds.length, 'hold')}.</p>}
    </section>
  );
}
