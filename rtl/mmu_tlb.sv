/*
 * The TLB: a 4 KiB array of SETS x WAYS and a fully associative array of LARGE 4 MiB entries. The 4 KiB array is
 * looked at first; a match there hides the large array.
 *
 * A lookup is combinational and has an effect only if it is served (HIT) or if the port is granted the walker in
 * this cycle (MISS, or RENEW, which drops every entry that matches).
 * Events of one cycle are ordered: HIT before any other kind; of two HITs the fetch port's first.
 *
 * Twin: model/mmu/mmu_tlb.c. Source: "Translation Lookaside Buffers (TLBs)"; DESIGN.md 3.6.
 */
module mmu_tlb #(
  /// Sets of the 4 KiB array; a power of two, 1..64.
  parameter int unsigned SETS = 8,
  /// Ways of the 4 KiB array; a power of two, 1..8.
  parameter int unsigned WAYS = 4,
  /// Entries of the large-page array; a power of two, 1..32.
  parameter int unsigned LARGE = 8
) (
  /// Clock.
  input  logic                    clk_i,
  /// Asynchronous reset, active low.
  input  logic                    rst_ni,
  /// The mode of now.
  input  mmu_pkg::mmu_mode_t      mode_i,

  /// The fetch port looks up f_xlat_i.
  input  logic                    f_valid_i,
  /// What it translates.
  input  mmu_pkg::mmu_xlat_t      f_xlat_i,
  /// It is granted the walker in this cycle, having not been served.
  input  logic                    f_grant_i,
  /// A match serves the access.
  output logic                    f_serve_o,
  /// The translation, if it does.
  output mmu_pkg::mmu_page_t      f_page_o,
  /// What happened for this port in the cycle before.
  output mmu_pkg::mmu_tlb_event_t f_event_o,

  /// The data port looks up d_xlat_i.
  input  logic                    d_valid_i,
  /// What it translates; with invalidate_i the page to drop.
  input  mmu_pkg::mmu_xlat_t      d_xlat_i,
  /// It is granted the walker in this cycle, having not been served.
  input  logic                    d_grant_i,
  /// A match serves the access.
  output logic                    d_serve_o,
  /// The translation, if it does.
  output mmu_pkg::mmu_page_t      d_page_o,
  /// What happened for this port in the cycle before.
  output mmu_pkg::mmu_tlb_event_t d_event_o,

  /// Enter a translation.
  input  logic                    fill_valid_i,
  /// On behalf of the fetch port.
  input  logic                    fill_fetch_i,
  /// The translation.
  input  mmu_pkg::mmu_fill_t      fill_i,

  /// INVLPG of the page that holds d_xlat_i.laddr; d_valid_i is 0.
  input  logic                    invalidate_i,
  /// Drop all entries that are not global.
  input  logic                    flush_i,
  /// Drop the global ones as well; only with flush_i.
  input  logic                    flush_global_i
);

  /* 4 KiB array (small) and large-page array. */
  logic                    f_small_match, f_large_match, d_small_match, d_large_match;
  logic [4:0]              f_small_way, f_large_way, d_small_way, d_large_way;
  mmu_pkg::mmu_tlb_entry_t f_small_entry, f_large_entry, d_small_entry, d_large_entry;
  logic                    small_evicted, large_evicted;
  logic [4:0]              small_fill_way, large_fill_way;
  logic                    f_large, d_large;  // the match is a large page
  logic                    d_lookup;
  mmu_pkg::mmu_tlb_event_t fill_event;

  assign d_lookup = d_valid_i || invalidate_i;

  mmu_tlb_array #(
    .SETS(SETS),
    .WAYS(WAYS)
  ) i_small (
    .clk_i,
    .rst_ni,
    .f_valid_i,
    .f_page_i      (f_xlat_i.laddr[31:12]),
    .f_match_o     (f_small_match),
    .f_way_o       (f_small_way),
    .f_entry_o     (f_small_entry),
    .f_touch_i     (f_serve_o && !f_large),
    .f_drop_i      (f_grant_i),
    .d_valid_i     (d_lookup),
    .d_page_i      (d_xlat_i.laddr[31:12]),
    .d_match_o     (d_small_match),
    .d_way_o       (d_small_way),
    .d_entry_o     (d_small_entry),
    .d_touch_i     (d_serve_o && !d_large),
    .d_drop_i      (d_grant_i || invalidate_i),
    .fill_i        (fill_valid_i && !fill_i.is_large),
    .fill_page_i   (fill_i.page),
    .fill_global_i (fill_i.is_global),
    .fill_entry_i  (fill_i.entry),
    .fill_way_o    (small_fill_way),
    .fill_evicted_o(small_evicted),
    .flush_i,
    .flush_global_i
  );

  mmu_tlb_array #(
    .SETS(1),
    .WAYS(LARGE)
  ) i_large (
    .clk_i,
    .rst_ni,
    .f_valid_i,
    .f_page_i      ({10'd0, f_xlat_i.laddr[31:22]}),
    .f_match_o     (f_large_match),
    .f_way_o       (f_large_way),
    .f_entry_o     (f_large_entry),
    .f_touch_i     (f_serve_o && f_large),
    .f_drop_i      (f_grant_i),
    .d_valid_i     (d_lookup),
    .d_page_i      ({10'd0, d_xlat_i.laddr[31:22]}),
    .d_match_o     (d_large_match),
    .d_way_o       (d_large_way),
    .d_entry_o     (d_large_entry),
    .d_touch_i     (d_serve_o && d_large),
    .d_drop_i      (d_grant_i || invalidate_i),
    .fill_i        (fill_valid_i && fill_i.is_large),
    .fill_page_i   ({10'd0, fill_i.page[19:10]}),
    .fill_global_i (fill_i.is_global),
    .fill_entry_i  (fill_i.entry),
    .fill_way_o    (large_fill_way),
    .fill_evicted_o(large_evicted),
    .flush_i,
    .flush_global_i
  );

  mmu_tlb_port #(
    .SETS(SETS)
  ) i_fetch (
    .clk_i,
    .rst_ni,
    .mode_i,
    .valid_i       (f_valid_i),
    .xlat_i        (f_xlat_i),
    .grant_i       (f_grant_i),
    .small_match_i (f_small_match),
    .small_way_i   (f_small_way),
    .small_entry_i (f_small_entry),
    .large_match_i (f_large_match),
    .large_way_i   (f_large_way),
    .large_entry_i (f_large_entry),
    .serve_o       (f_serve_o),
    .serve_large_o (f_large),
    .page_o        (f_page_o),
    .fill_i        (fill_valid_i && fill_fetch_i),
    .fill_event_i  (fill_event),
    .event_o       (f_event_o)
  );

  mmu_tlb_port #(
    .SETS(SETS)
  ) i_data (
    .clk_i,
    .rst_ni,
    .mode_i,
    .valid_i       (d_valid_i),
    .xlat_i        (d_xlat_i),
    .grant_i       (d_grant_i),
    .small_match_i (d_small_match),
    .small_way_i   (d_small_way),
    .small_entry_i (d_small_entry),
    .large_match_i (d_large_match),
    .large_way_i   (d_large_way),
    .large_entry_i (d_large_entry),
    .serve_o       (d_serve_o),
    .serve_large_o (d_large),
    .page_o        (d_page_o),
    .fill_i        (fill_valid_i && !fill_fetch_i),
    .fill_event_i  (fill_event),
    .event_o       (d_event_o)
  );

  always_comb begin
    fill_event = '0;
    if (fill_valid_i) begin
      fill_event.valid    = 1'b1;
      fill_event.kind     = mmu_pkg::MMU_TLB_FILL;
      fill_event.is_large = fill_i.is_large;
      fill_event.set      = fill_i.is_large ? 6'd0 : 6'(fill_i.page & 20'(SETS - 1));
      fill_event.way      = fill_i.is_large ? large_fill_way : small_fill_way;
      fill_event.evicted  = fill_i.is_large ? large_evicted : small_evicted;
    end
  end

endmodule
