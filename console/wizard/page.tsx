/** SelectiveRollbackWizard: five steps to a rollback. Each is an address, which says all that was chosen. */
import { useLocation, useRoute } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import type { EnvironmentView } from '../contract.ts';
import { environmentCall, scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';
import { MayNot } from '../scope/may-not.tsx';
import { type Ask, askOf, askPath, type Step, STEPS } from './ask.ts';
import { PlaceStep } from './place-step.tsx';
import { PreviewStep } from './preview-step.tsx';
import { RevisionStep } from './revision-step.tsx';
import { ScopeStep } from './scope-step.tsx';
import type { StepProps } from './step-props.ts';
import { SubmitStep } from './submit-step.tsx';

const NAMES: Readonly<Record<Step, readonly [short: string, question: string]>> = {
  scope: ['Scope', 'How much is rolled back?'],
  'tenant-environment': ['Environment', 'Is this the place, and how is it?'],
  revision: ['Revision', 'Which revision is it rolled back to?'],
  preview: ['Preview', 'What would change?'],
  submit: ['Submit', 'Why is it rolled back?'],
};
const PAGES = {
  scope: ScopeStep,
  'tenant-environment': PlaceStep,
  revision: RevisionStep,
  preview: PreviewStep,
  submit: SubmitStep,
};

export function Wizard() {
  const { params } = useRoute();
  const { url, route } = useLocation();
  const { tenant = '-', environment = '', service = null } = params;
  const ask = askOf({ tenant, environment, service }, url.split('?')[1] ?? '');
  const found = useResource<EnvironmentView>(environmentCall(ask.names));
  const Page = PAGES[ask.step];
  const props: Omit<StepProps, 'environment'> = {
    ask,
    // What was looked at is another plan then.
    choose: (change) => route(askPath(ask, { seen: '', ...change }), true),
    next: (change = {}) => route(askPath(ask, { step: stepAfter(ask.step), ...change })),
  };
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href="/">Environments</a>
        <span aria-hidden="true">/</span>
        <a href={scopePath(ask.names)}>{scopeName(ask.names)}</a>
      </nav>
      <Title name={`Roll back ${scopeName(ask.names)}`} />
      <Steps of={ask} />
      <section class="step panel" aria-labelledby="step">
        <Question key={ask.step} of={ask.step} />
        <Resource of={found} lines={6}>
          {(view) => (
            <>
              <MayNot of={view} />
              <Page {...props} environment={view} />
            </>
          )}
        </Resource>
      </section>
    </>
  );
}

const stepAfter = (step: Step): Step => STEPS[STEPS.indexOf(step) + 1] ?? step;

/** Whoever comes from another step hears where they are; who opens the page begins at its beginning. */
function Question({ of }: { readonly of: Step }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (shown !== null && shown !== of) heading.current?.focus({ preventScroll: true });
    if (shown !== null && shown !== of) scrollTo(0, 0);
    shown = of;
    return () => {
      shown = of;
    };
  }, []);
  return (
    <h2 id="step" tabIndex={-1} ref={heading}>
      {NAMES[of][1]}
    </h2>
  );
}

/** The step that was shown last; null: the page was loaded just now. */
let shown: Step | null = null;

function Steps({ of }: { readonly of: Ask }) {
  const at = STEPS.indexOf(of.step);
  return (
    <nav aria-label="Steps">
      <ol class="steps">
        {STEPS.map((step, index) => (
          <li key={step}>
            <a
              href={askPath(of, { step })}
              aria-current={index === at ? 'step' : undefined}
              class={index < at ? 'done' : undefined}
            >
              <span aria-hidden="true">{index < at ? '✓' : index + 1}</span> {NAMES[step][0]}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
