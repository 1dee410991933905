/** How much is rolled back: what each mode touches is said before it is chosen. */
import { useState } from 'preact/hooks';
import type { EnvironmentView } from '../contract.ts';
import { scopeName } from '../data/paths.ts';
import { Radius } from '../plan/radius.tsx';
import { type Ask, type Mode, MODES, offerOf } from './ask.ts';
import { Buttons } from './buttons.tsx';
import { Line } from './line.tsx';
import type { StepProps } from './step-props.ts';

const TITLES: Readonly<Record<Mode, string>> = {
  full: 'Full: the whole environment',
  service: 'Service: one service',
  field: 'Field: single fields',
};

export function ScopeStep({ ask, environment, choose, next }: StepProps) {
  const { names, mode } = ask;
  const [service, setService] = useState(names.service ?? '');
  const needsService = mode !== 'full' && service === '' && environment.services.length > 0;
  const chosen = changeTo(ask, mode, service);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        next(chosen);
      }}
    >
      <fieldset class="options">
        <legend class="hidden">Mode</legend>
        {MODES.map((each) => (
          <label key={each} class="option">
            <input
              type="radio"
              name="mode"
              checked={each === mode}
              onChange={() => choose({ mode: each })}
              aria-describedby={`radius-${each}`}
            />
            <span>
              <b>{TITLES[each]}</b>
              <span class="block faint" id={`radius-${each}`}>
                {radiusOf(each, { environment, service })}
                <Numbers
                  ask={{ ...ask, ...changeTo(ask, each, service) }}
                  mode={each}
                  environment={environment}
                />
              </span>
            </span>
          </label>
        ))}
      </fieldset>
      {mode !== 'full' && environment.services.length > 0 && (
        <label class="field">
          <span>Service</span>
          <select value={service} onChange={({ currentTarget }) => setService(currentTarget.value)}>
            <option value="">Choose a service</option>
            {environment.services.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
      )}
      <Buttons ask={ask} why={needsService ? 'Choose a service.' : null} />
      {!needsService && <Line ask={{ ...ask, ...chosen }} environment={environment} />}
    </form>
  );
}

/** Versions and fields are of a scope: another one begins without them. */
function changeTo({ names }: Ask, mode: Mode, service: string): Partial<Ask> {
  const chosen = { ...names, service: mode === 'full' || service === '' ? null : service };
  const isSame = scopeName(chosen) === scopeName(names);
  return { names: chosen, ...(!isSame && { to: '', fields: [], overrides: [], removal: false, seen: '' }) };
}

/** Planning more of them before anybody has chosen a mode would be a wait, and work, for nothing. */
const CHEAP_SERVICES = 20;

interface NumbersProps extends Pick<StepProps, 'ask' | 'environment'> {
  readonly mode: Mode;
}

/** To the revision that is chosen already, or that will be suggested. */
function Numbers({ ask: { names, to }, mode, environment: { services } }: NumbersProps) {
  const isOpen = mode !== 'full' && !names.service && (mode === 'service' || services.length > 0);
  if (isOpen || (!names.service && services.length > CHEAP_SERVICES)) return null;
  const body = { ...offerOf({ names, to: to || 'previous' }), ...(mode === 'service' && { mode }) };
  return <Radius body={body} isOffer={mode === 'field'} />;
}

const MOST_NAMES = 8;

interface Place {
  readonly environment: EnvironmentView;
  readonly service: string;
}

function radiusOf(mode: Mode, { environment: { scope, services }, service }: Place): string {
  const named = service === '' ? 'the service that you choose' : service;
  const others = services.length - 1;
  if (mode === 'service')
    return `Everything of ${named} goes back, and nothing else: ${others <= 0 ? 'there is no other service' : `${others} other ${others === 1 ? 'service stays' : 'services stay'}`} as now.`;
  if (mode === 'field')
    return `Only the fields that you tick in the difference go back, as an image tag; everything else of ${named} stays as it is now.`;
  const all = services.slice(0, MOST_NAMES).join(', ');
  const more = services.length > MOST_NAMES ? ` and ${services.length - MOST_NAMES} more` : '';
  return `All of ${scope} goes back together: ${services.length} ${services.length === 1 ? 'service' : 'services'} (${all}${more}), and what the environment has of its own. Changes of any of them since then are undone.`;
}
