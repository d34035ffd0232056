  /* +misuse=N: the N-th wrong way to call the package, from 1. Each ends in $fatal; past the last one nothing does. */
  task automatic run_misuse(int unsigned which);
    chandle      none, handle;
    mmu_req_t    r;
    mmu_config_t configuration;
    none          = null;
    handle        = mmu_open(MMU_DEFAULT_CONFIG, 64'h1000);
    r             = '0;
    r.size        = 5'd4;
    configuration = MMU_DEFAULT_CONFIG;
    case (which)
      1: void'(mmu_transact(none, r));
      2: begin
        mmu_close(handle);
        mmu_write(handle, 64'd0, 1, 64'd0);
      end
      3: begin
        mmu_close(handle);
        mmu_close(handle);
      end
      4: begin
        configuration.tlb_sets = 8'd3;
        void'(mmu_open(configuration, 64'h1000));
      end
      5: begin
        configuration.tlb_ways = 8'd16;
        void'(mmu_open(configuration, 64'h1000));
      end
      6: begin
        configuration.tlb_large = 8'd0;
        void'(mmu_open(configuration, 64'h1000));
      end
      7: begin
        configuration.cr4_absent = 32'h1;
        void'(mmu_open(configuration, 64'h1000));
      end
      8: void'(mmu_open(MMU_DEFAULT_CONFIG, 64'd0));
      9: void'(mmu_open(MMU_DEFAULT_CONFIG, 64'h1_0000_0001));
      10: begin
        r.size = 5'd17;
        void'(mmu_transact(handle, r));
      end
      11: void'(mmu_translate(handle, MMU_SEG_LINEAR, MMU_READ, 32'd0, 5'd4, 2'd0));
      12: begin
        r.op = MMU_OP_LOAD_SEG;
        void'(mmu_transact(handle, r));
      end
      13: mmu_write(handle, 64'd0, 9, 64'd0);
      14: void'(mmu_read(handle, 64'd0, 0));
      15: void'(mmu_seg(handle, 32'(MMU_SEG_GDTR)));
      16: void'(mmu_cr(handle, 2));
      17: begin
        mmu86_dpi_must("mmu_open", mmu86_dpi_open(MMU86_DPI_VERSION + 1, MMU_ABI_VERSION, int'($bits(mmu_config_t)),
                                                  int'($bits(mmu_req_t)), int'($bits(mmu_rsp_t)), configuration,
                                                  64'h1000, handle));
      end
      18: begin
        mmu86_dpi_must("mmu_open", mmu86_dpi_open(MMU86_DPI_VERSION, MMU_ABI_VERSION - 1, int'($bits(mmu_config_t)),
                                                  int'($bits(mmu_req_t)), int'($bits(mmu_rsp_t)), configuration,
                                                  64'h1000, handle));
      end
      19: mmu_reset(none);
      20: void'(mmu_read(none, 64'd0, 1));
      21: void'(mmu_seg(none, 0));
      22: void'(mmu_cr(none, 0));
      default: $display("bench: no such misuse");
    endcase
  endtask
