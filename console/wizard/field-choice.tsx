/** Fields, chosen by ticking them in the difference. */
import type { GatedPlan } from '../contract.ts';
import type { Loaded } from '../data/resource.ts';
import { Difference } from '../difference/difference.tsx';
import { Empty, Resource } from '../parts/states.tsx';
import type { StepProps } from './step-props.ts';

interface FieldChoiceProps extends Pick<StepProps, 'ask' | 'choose'> {
  readonly offer: Loaded<GatedPlan>;
}

export function FieldChoice({ ask, offer, choose }: FieldChoiceProps) {
  const { fields } = ask;
  const toggle = (field: string) =>
    choose({ fields: fields.includes(field) ? fields.filter((each) => each !== field) : [...fields, field] });
  return (
    <section class="part" aria-label="Fields">
      <h3>Fields</h3>
      <p class="faint" role="status">
        {fields.length === 0 ? 'Tick what is to go back.' : `${fields.length} chosen.`}
      </p>
      <Resource of={offer} lines={6}>
        {({ changes }) => {
          const files = changes.flatMap((change) => change.files).filter((file) => file.fields?.length);
          const offered = files.flatMap(({ path, fields: all = [] }) =>
            all.map(({ selector }) => `${path}#${selector}`),
          );
          const others = fields.filter((field) => !offered.includes(field));
          return (
            <>
              {files.length === 0 && <Empty>No single field differs: choose another mode.</Empty>}
              <Difference
                files={files}
                beforeField={(field) => <Tick field={field} {...{ fields, toggle }} />}
              />
              {others.map((field) => (
                <label class="tick" key={field}>
                  <input type="checkbox" checked onChange={() => toggle(field)} />
                  <code>{field}</code>
                </label>
              ))}
            </>
          );
        }}
      </Resource>
    </section>
  );
}

function Tick({
  field,
  fields,
  toggle,
}: {
  readonly field: string;
  readonly fields: readonly string[];
  readonly toggle: (field: string) => void;
}) {
  return (
    <label class="tick">
      <input type="checkbox" checked={fields.includes(field)} onChange={() => toggle(field)} />
      <span class="hidden">Roll back {field}</span>
    </label>
  );
}
