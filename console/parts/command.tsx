/** The same as a command line, to copy. */
import { useId, useState } from 'preact/hooks';

export function Command({ line }: { readonly line: string }) {
  const id = useId();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(line));
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="command">
      <code id={id}>
        {line.split(' ').map((word, index) => (
          // Options are not broken in two where there is little room.
          <>
            {index > 0 && ' '}
            <span>{word}</span>
          </>
        ))}
      </code>
      <button
        type="button"
        class="quiet"
        aria-label="Copy the command line"
        aria-describedby={id}
        onClick={() => void copy()}
      >
        {isCopied ? 'Copied' : 'Copy'}
      </button>
      <span class="hidden" role="status">
        {isCopied ? 'Copied' : ''}
      </span>
    </div>
  );
}

/** Where the page was not loaded by https or from this machine, browsers have the old way alone. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const isDone = document.execCommand('copy');
    field.remove();
    return isDone;
  }
}
