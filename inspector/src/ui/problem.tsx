import type { ComponentChildren, VNode } from "preact";

/** What went wrong, and what to do about it. */
export function Problem(props: {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: { readonly label: string; readonly run: () => void };
}): VNode {
  const { title, children, action } = props;
  return (
    <div class="problem" role="alert">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
      {action !== undefined && (
        <button type="button" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
