/**
 * A real outside program that integration tests run against ("engine" as `npm test` says it, not an agent's engine).
 * `find` must be quick and change nothing; `install` fills the cache folder and nothing else, once, without rights of an administrator.
 */
export interface TestEngine<Place extends string = string> {
  /** What tests ask for: `engine("python-a2a-1")`. */
  readonly name: string;
  /** What it is and what it proves, for the list of what was not run. */
  readonly about: string;
  /** How a person gets it without `npm test -- --all`. */
  readonly byHand: string;
  /** Where its programs and files are (absolute paths), or undefined when it is not on this machine. */
  find(cache: string): Readonly<Record<Place, string>> | undefined;
  /** Installs or builds it below `cache`; afterwards `find` must succeed. Throws with the failed command's last words. */
  install(cache: string): Promise<void>;
}
