/** A text of several lines, with its name above it. */
export function LongText({
  name,
  value,
  onType,
}: {
  readonly name: string;
  readonly value: string;
  readonly onType: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>{name}</span>
      <textarea
        rows={2}
        maxLength={8000}
        value={value}
        onInput={({ currentTarget }) => onType(currentTarget.value)}
      />
    </label>
  );
}
