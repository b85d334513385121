import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { giveKey, keyProblem, keyWanted, refuseKey } from "../state/call.ts";

/** Asks who calls, where the server wants to know. The key is traded for a cookie that no script can read, and kept nowhere else. */
export function KeyDialog(): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const key = useSignal("");
  const wanted = keyWanted.value;
  useEffect(() => {
    if (wanted === "no" || wanted === "refused") dialog.current?.close();
    else if (dialog.current?.open === false) dialog.current.showModal();
  }, [wanted]);
  const send = (event: Event): void => {
    event.preventDefault();
    const given = key.value.trim();
    if (given === "") return;
    void giveKey(given).then(() => {
      // A key that could not be handed over stays where it is.
      if (keyProblem.peek() === undefined) key.value = "";
    });
  };
  return (
    <dialog ref={dialog} onCancel={refuseKey} aria-labelledby="key-title">
      <form class="stack" onSubmit={send}>
        <h2 id="key-title">{wanted === "wrong" ? "The server does not take this key" : "The server asks who you are"}</h2>
        <p class="muted">Give an API key or a token. It becomes a session of this browser, and is kept nowhere else.</p>
        {keyProblem.value !== undefined && (
          <p class="problem" role="alert">
            {keyProblem.value}
          </p>
        )}
        <label class="field">
          Key
          <input type="password" autocomplete="off" value={key.value} onInput={(event) => (key.value = event.currentTarget.value)} />
        </label>
        <div class="row">
          <button type="submit" class="primary">
            Use it
          </button>
          <button type="button" onClick={refuseKey}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
