/** Places for what stays open: so many in all, and so many of one owner. */
export interface Places {
  /** Takes a place, until it is disposed. Throws what `refuse` makes where there is none. */
  take(owner: string): Disposable;
  /** How many are taken. */
  readonly taken: number;
}

/** How many places there are. */
export interface PlacesOptions {
  readonly max: number;
  readonly perOwner: number;
  /** The error where `taken` places are too many, of all or of one owner. */
  readonly refuse: (taken: number, of: "all" | "owner") => Error;
}

/** Makes them. */
export function createPlaces({ max, perOwner, refuse }: PlacesOptions): Places {
  const byOwner = new Map<string, number>();
  let taken = 0;
  return {
    take(owner) {
      const own = byOwner.get(owner) ?? 0;
      if (taken >= max) throw refuse(taken, "all");
      if (own >= perOwner) throw refuse(own, "owner");
      taken += 1;
      byOwner.set(owner, own + 1);
      let left = false;
      return {
        [Symbol.dispose]() {
          if (left) return;
          left = true;
          taken -= 1;
          const now = (byOwner.get(owner) ?? 0) - 1;
          if (now > 0) byOwner.set(owner, now);
          else byOwner.delete(owner);
        },
      };
    },
    get taken() {
      return taken;
    },
  };
}
