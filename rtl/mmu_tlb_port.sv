/*
 * What one port makes of the matches in both arrays: whether they serve the access, the translation, and the event.
 * A match in the 4 KiB array hides the large array.
 *
 * Twin: model/mmu/mmu_tlb.c.
 */
module mmu_tlb_port #(
  /// Sets of the 4 KiB array.
  parameter int unsigned SETS = 8
) (
  /// Clock.
  input  logic                    clk_i,
  /// Asynchronous reset, active low.
  input  logic                    rst_ni,
  /// The mode of now.
  input  mmu_pkg::mmu_mode_t      mode_i,

  /// The port looks up xlat_i.
  input  logic                    valid_i,
  /// What it translates.
  input  mmu_pkg::mmu_xlat_t      xlat_i,
  /// It is granted the walker in this cycle, having not been served.
  input  logic                    grant_i,

  /// An entry of the 4 KiB array matches.
  input  logic                    small_match_i,
  /// Its way.
  input  logic [4:0]              small_way_i,
  /// It.
  input  mmu_pkg::mmu_tlb_entry_t small_entry_i,
  /// An entry of the large-page array matches.
  input  logic                    large_match_i,
  /// Its index.
  input  logic [4:0]              large_way_i,
  /// It.
  input  mmu_pkg::mmu_tlb_entry_t large_entry_i,

  /// The access is served.
  output logic                    serve_o,
  /// By the large-page array.
  output logic                    serve_large_o,
  /// The translation.
  output mmu_pkg::mmu_page_t      page_o,

  /// A translation is entered for this port in this cycle.
  input  logic                    fill_i,
  /// That event.
  input  mmu_pkg::mmu_tlb_event_t fill_event_i,
  /// What happened in the cycle before.
  output mmu_pkg::mmu_tlb_event_t event_o
);

  logic                    match, is_large;
  mmu_pkg::mmu_tlb_entry_t entry;

  always_comb begin
    match    = 1'b0;
    is_large = 1'b0;
    entry    = '0;
    serve_o  = 1'b0;
    page_o   = '0;
    if (valid_i) begin
      match            = small_match_i || large_match_i;
      is_large         = large_match_i && !small_match_i;
      entry            = is_large ? large_entry_i : small_entry_i;
      serve_o          = match && (entry.dirty || !xlat_i.write) &&
                         mmu_pkg::page_allows(xlat_i.write, xlat_i.fetch, xlat_i.user, xlat_i.smap_pass, mode_i.wp,
                                              mode_i.smep, mode_i.smap, entry.user, entry.writable);
      page_o.paddr     = is_large ? {entry.frame[9:0], xlat_i.laddr[21:0]} : {entry.frame, xlat_i.laddr[11:0]};
      page_o.page_size = is_large ? mmu_pkg::MMU_PAGE_4M : mmu_pkg::MMU_PAGE_4K;
      page_o.pcd       = entry.pcd;
      page_o.pwt       = entry.pwt;
    end
  end

  assign serve_large_o = is_large;

  mmu_pkg::mmu_tlb_event_t event_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      event_q <= '0;
    end else if (serve_o || grant_i) begin
      event_q.valid    <= 1'b1;
      event_q.kind     <= serve_o ? mmu_pkg::MMU_TLB_HIT : match ? mmu_pkg::MMU_TLB_RENEW : mmu_pkg::MMU_TLB_MISS;
      event_q.is_large <= is_large;
      event_q.set      <= small_match_i ? 6'(xlat_i.laddr[31:12] & 20'(SETS - 1)) : 6'd0;
      event_q.way      <= small_match_i ? small_way_i : large_way_i;
      event_q.evicted  <= 1'b0;
    end else begin
      event_q <= fill_i ? fill_event_i : '0;
    end
  end

  assign event_o = event_q;

endmodule
