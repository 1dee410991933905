/** What else can be asked for: to go ahead although a check blocks it, to remove, to hold. */
import type { ComponentChildren } from 'preact';
import type { Finding, GatedPlan } from '../contract.ts';
import type { Hold } from './ask.ts';
import type { StepProps } from './step-props.ts';

interface PlanOptionsProps extends Pick<StepProps, 'ask' | 'choose'> {
  readonly plan: GatedPlan;
}

export function PlanOptions({ ask, plan, choose }: PlanOptionsProps) {
  const { overrides, removal, whole } = ask;
  const codes = overridable(plan.findings, overrides);
  const offers = (remedy: Finding['remedy']) => plan.findings.some((each) => each.remedy === remedy);
  const toggle = (code: string) =>
    choose({
      overrides: overrides.includes(code) ? overrides.filter((each) => each !== code) : [...overrides, code],
    });
  return (
    <fieldset class="part plan-options">
      <legend>Options</legend>
      {codes.map((code) => (
        <Box key={code} isOn={overrides.includes(code)} onToggle={() => toggle(code)}>
          Go ahead although <b>{code}</b> blocks it; that is recorded, with your reason
        </Box>
      ))}
      {(offers('allow-removal') || removal) && (
        <Box isOn={removal} onToggle={() => choose({ removal: !removal })}>
          Remove what did not exist at the revision
        </Box>
      )}
      {(offers('whole-file') || whole) && (
        <Box isOn={whole} onToggle={() => choose({ whole: !whole })}>
          Restore whole files, with everything else in them
        </Box>
      )}
      <Holding ask={ask} choose={choose} />
    </fieldset>
  );
}

/** Those that block it and can be overridden, and those that are. */
const overridable = (findings: readonly Finding[], overrides: readonly string[]): readonly string[] => [
  ...new Set([
    ...findings.flatMap(({ code, remedy }) => (remedy === 'override' ? [code] : [])),
    ...overrides,
  ]),
];

function Box({
  isOn,
  onToggle,
  children,
}: {
  readonly isOn: boolean;
  readonly onToggle: () => void;
  readonly children: ComponentChildren;
}) {
  return (
    <label class="tick">
      <input type="checkbox" checked={isOn} onChange={onToggle} />
      <span>{children}</span>
    </label>
  );
}

const HOLDS: readonly (readonly [value: string, name: string])[] = [
  ['', 'Hold what automation would move on'],
  ['yes', 'Hold all that is restored'],
  ['no', 'Hold nothing: automation may move it on'],
];

function Holding({ ask: { hold, holdFor }, choose }: Pick<StepProps, 'ask' | 'choose'>) {
  return (
    <div class="sides">
      <label class="field">
        <span>Hold</span>
        <select
          value={hold ?? ''}
          onChange={({ currentTarget: { value } }) =>
            choose({ hold: value === 'yes' || value === 'no' ? (value satisfies Hold) : null })
          }
        >
          {HOLDS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {hold === 'yes' && (
        <label class="field">
          <span>For how long (as 12h or 7d; empty: until somebody resumes automation)</span>
          <input
            value={holdFor}
            maxLength={16}
            onChange={({ currentTarget: { value } }) => choose({ holdFor: value.trim() })}
          />
        </label>
      )}
    </div>
  );
}
