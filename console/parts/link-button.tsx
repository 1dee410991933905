/** A link that looks like a button, and is one for whoever hears or drives the page: it goes to another step of what is being done. */
import type { ComponentChildren } from 'preact';

export function LinkButton({
  href,
  primary = false,
  children,
}: {
  readonly href: string;
  readonly primary?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <a
      class={primary ? 'button primary' : 'button'}
      role="button"
      href={href}
      onKeyDown={(event) => {
        if (event.key !== ' ') return;
        event.preventDefault();
        event.currentTarget.click();
      }}
    >
      {children}
    </a>
  );
}
