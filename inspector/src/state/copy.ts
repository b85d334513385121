/** Puts text on the clipboard; false where the browser does not let a page. Pages that were not loaded securely have no `navigator.clipboard`. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await (navigator as { readonly clipboard?: Clipboard }).clipboard?.writeText(text);
    if ("clipboard" in navigator) return true;
  } catch {
    // The older way may still be open.
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("aria-hidden", "true");
  field.style.position = "fixed";
  document.body.append(field);
  const before = document.activeElement;
  field.select();
  // Old, and the only way there: where it is gone, the person is shown the text.
  const copied = (document as unknown as { readonly execCommand?: (command: "copy") => boolean }).execCommand?.("copy") === true;
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}
