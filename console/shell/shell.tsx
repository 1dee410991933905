/** What is around every page. */
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import { Banners } from './banners.tsx';
import { Help } from './help.tsx';
import { Palette } from './palette.tsx';
import { dialog, followKeys, openDialog } from './shortcuts.ts';
import { StatusLine } from './status-line.tsx';

const PLACES = [
  ['/', 'Environments', /^\/(e\/|$)/],
  ['/requests', 'Requests', /^\/requests/],
  ['/holds', 'Holds', /^\/holds/],
  ['/audit', 'Audit', /^\/audit/],
  ['/incident', 'Incident', /^\/incident/],
] as const;

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const { path } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(followKeys, []);
  // Whoever hears the page is told of another one; the first is told by the browser.
  useEffect(() => {
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main" onClick={() => main.current?.focus()}>
        Skip to the page
      </a>
      <header class="top">
        <a class="brand" href="/">
          Backtrail
        </a>
        <nav class="places" aria-label="Pages">
          {PLACES.map(([href, name, here]) => (
            <a href={href} aria-current={here.test(path) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <button class="search" type="button" onClick={() => openDialog('palette')}>
          <span>Go to…</span>
          <kbd>/</kbd>
        </button>
      </header>
      <Banners />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <StatusLine />
      {dialog.value === 'palette' && <Palette />}
      {dialog.value === 'help' && <Help />}
    </>
  );
}
